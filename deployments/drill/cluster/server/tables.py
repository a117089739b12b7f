"""Tables, as `kubectl get` asks for them: the server chooses columns and words.

Source: k8s.io/kubernetes/pkg/printers/internalversion/printers.go and k8s.io/apimachinery/pkg/util/duration.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from deployments.drill.cluster.objects import JsonObject, copied, is_terminating, name_of, parsed_timestamp

_WIDE = {
    "Pod": ("IP", "Node", "Nominated Node", "Readiness Gates"),
    "Deployment": ("Containers", "Images", "Selector"),
    "ReplicaSet": ("Containers", "Images", "Selector"),
    "StatefulSet": ("Containers", "Images"),
    "Event": ("Subobject", "Source", "First Seen", "Count", "Name"),
}
_COLUMNS = {
    "Pod": ("Name", "Ready", "Status", "Restarts", "Age"),
    "Deployment": ("Name", "Ready", "Up-to-date", "Available", "Age"),
    "ReplicaSet": ("Name", "Desired", "Current", "Ready", "Age"),
    "StatefulSet": ("Name", "Ready", "Age"),
    "ControllerRevision": ("Name", "Controller", "Revision", "Age"),
    "PodDisruptionBudget": ("Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"),
    "ResourceQuota": ("Name", "Request", "Limit", "Age"),
    "LimitRange": ("Name", "Created At"),
    "Secret": ("Name", "Type", "Data", "Age"),
    "ConfigMap": ("Name", "Data", "Age"),
    "Event": ("Last Seen", "Type", "Reason", "Object", "Message"),
    "Namespace": ("Name", "Status", "Age"),
    "Node": ("Name", "Status", "Roles", "Age", "Version"),
    "Service": ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"),
    "ServiceAccount": ("Name", "Secrets", "Age"),
}


def table(kind: str, objects: list[JsonObject], version: str, now: datetime, include: str) -> JsonObject:
    """The objects as a meta.k8s.io/v1 Table; `include` is the request's includeObject."""
    columns = [(name, 0) for name in _COLUMNS[kind]] + [(name, 1) for name in _WIDE.get(kind, ())]
    rows = [{"cells": _cells(kind, obj, now), "object": _included(obj, include)} for obj in objects]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" and not priority else "",
                "description": "",
                "priority": priority,
            }
            for name, priority in columns
        ],
        "rows": rows,
    }


def _included(obj: JsonObject, include: str) -> JsonObject | None:
    if include == "None":
        return None
    if include == "Object":
        return obj
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": copied(obj["metadata"]),
    }


def human_duration(seconds: float) -> str:
    """An age as kubectl shows it: `5s`, `3m12s`, `2h5m`, `4d`."""
    whole = int(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 0:
        return "0s" if whole >= -1 else "<invalid>"
    if whole < 120:
        return f"{whole}s"
    for limit, big, unit, small, small_unit in (
        (10 * 60, minutes, "m", whole % 60, "s"),
        (3 * 3600, minutes, "m", 0, ""),
        (8 * 3600, hours, "h", minutes % 60, "m"),
        (48 * 3600, hours, "h", 0, ""),
        (8 * 86400, days, "d", hours % 24, "h"),
    ):
        if whole < limit:
            return f"{big}{unit}" + (f"{small}{small_unit}" if small else "")
    return f"{days}d" if days < 730 else f"{days // 365}y"


def _age(text: str | None, now: datetime) -> str:
    return human_duration((now - parsed_timestamp(text)).total_seconds()) if text else "<unknown>"


def _created(obj: JsonObject, now: datetime) -> str:
    return _age(obj["metadata"].get("creationTimestamp"), now)


def _cells(kind: str, obj: JsonObject, now: datetime) -> list[Any]:
    return _CELLS[kind](obj, now)


def pod_reason(pod: JsonObject) -> str:
    """The STATUS column of a pod."""
    status = pod.get("status", {})
    reason = str(status.get("reason") or status.get("phase", "Unknown"))
    for container in reversed(status.get("containerStatuses", [])):
        state = container.get("state", {})
        if state.get("waiting", {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            ended = state["terminated"]
            reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode', 0)}"
    return "Terminating" if is_terminating(pod) else reason


def _pod(obj: JsonObject, now: datetime) -> list[Any]:
    statuses = obj.get("status", {}).get("containerStatuses", [])
    ready = sum(bool(each.get("ready")) for each in statuses)
    restarts = sum(int(each.get("restartCount", 0)) for each in statuses)
    last = [each.get("lastState", {}).get("terminated", {}).get("finishedAt") for each in statuses]
    ended = max(filter(None, last), default=None)
    shown = f"{restarts} ({_age(ended, now)} ago)" if restarts and ended else str(restarts)
    return [
        name_of(obj),
        f"{ready}/{len(obj['spec']['containers'])}",
        pod_reason(obj),
        shown,
        _created(obj, now),
        obj.get("status", {}).get("podIP", "<none>"),
        obj["spec"].get("nodeName", "<none>"),
        "<none>",
        "<none>",
    ]


def _containers(obj: JsonObject) -> list[str]:
    containers = obj["spec"]["template"]["spec"]["containers"]
    return [",".join(each["name"] for each in containers), ",".join(each["image"] for each in containers)]


def _selector(obj: JsonObject) -> str:
    labels = obj["spec"].get("selector", {}).get("matchLabels", {})
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"


def _deployment(obj: JsonObject, now: datetime) -> list[Any]:
    status, replicas = obj.get("status", {}), obj["spec"]["replicas"]
    counts = [f"{status.get('readyReplicas', 0)}/{replicas}", status.get("updatedReplicas", 0)]
    return [
        name_of(obj),
        *counts,
        status.get("availableReplicas", 0),
        _created(obj, now),
        *_containers(obj),
        _selector(obj),
    ]


def _replica_set(obj: JsonObject, now: datetime) -> list[Any]:
    status = obj.get("status", {})
    counts = [obj["spec"]["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [name_of(obj), *counts, _created(obj, now), *_containers(obj), _selector(obj)]


def _stateful_set(obj: JsonObject, now: datetime) -> list[Any]:
    ready = f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec']['replicas']}"
    return [name_of(obj), ready, _created(obj, now), *_containers(obj)]


def _controller_revision(obj: JsonObject, now: datetime) -> list[Any]:
    owner = next(iter(obj["metadata"].get("ownerReferences", [])), None)
    controller = f"{owner['kind'].lower()}.apps/{owner['name']}" if owner else "<none>"
    return [name_of(obj), controller, obj["revision"], _created(obj, now)]


def _disruption_budget(obj: JsonObject, now: datetime) -> list[Any]:
    limits = [str(obj["spec"].get(field, "N/A")) for field in ("minAvailable", "maxUnavailable")]
    return [name_of(obj), *limits, obj.get("status", {}).get("disruptionsAllowed", 0), _created(obj, now)]


def _quota(obj: JsonObject, now: datetime) -> list[Any]:
    status = obj.get("status", {})
    used, hard = status.get("used", {}), status.get("hard", {})
    shown = [f"{key}: {used.get(key, 0)}/{most}" for key, most in sorted(hard.items())]
    limits = [each for each in shown if each.startswith("limits.")]
    requests = [each for each in shown if each not in limits]
    return [name_of(obj), ", ".join(requests), ", ".join(limits), _created(obj, now)]


def _secret(obj: JsonObject, now: datetime) -> list[Any]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data", {})), _created(obj, now)]


def _config_map(obj: JsonObject, now: datetime) -> list[Any]:
    return [name_of(obj), len(obj.get("data", {})) + len(obj.get("binaryData", {})), _created(obj, now)]


def _event(obj: JsonObject, now: datetime) -> list[Any]:
    about, count = obj.get("involvedObject", {}), obj.get("count", 1)
    first, last = _age(obj.get("firstTimestamp"), now), _age(obj.get("lastTimestamp"), now)
    source = obj.get("source", {})
    return [
        f"{last} (x{count} over {first})" if count > 1 else last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        obj.get("message", "").strip(),
        about.get("fieldPath", ""),
        ", ".join(filter(None, [source.get("component", ""), source.get("host", "")])),
        first,
        count,
        name_of(obj),
    ]


def _node(obj: JsonObject, now: datetime) -> list[Any]:
    version = obj.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    return [name_of(obj), "Ready", "<none>", _created(obj, now), version]


def _service(obj: JsonObject, now: datetime) -> list[Any]:
    spec = obj["spec"]
    ports = ",".join(f"{each['port']}/{each['protocol']}" for each in spec.get("ports", [])) or "<none>"
    return [name_of(obj), spec["type"], spec.get("clusterIP", "None"), "<none>", ports, _created(obj, now)]


_CELLS: dict[str, Callable[[JsonObject, datetime], list[Any]]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "ControllerRevision": _controller_revision,
    "PodDisruptionBudget": _disruption_budget,
    "ResourceQuota": _quota,
    "LimitRange": lambda obj, _now: [name_of(obj), obj["metadata"]["creationTimestamp"]],
    "Secret": _secret,
    "ConfigMap": _config_map,
    "Event": _event,
    "Namespace": lambda obj, now: [
        name_of(obj),
        obj.get("status", {}).get("phase", "Active"),
        _created(obj, now),
    ],
    "Node": _node,
    "Service": _service,
    "ServiceAccount": lambda obj, now: [name_of(obj), len(obj.get("secrets", [])), _created(obj, now)],
}
