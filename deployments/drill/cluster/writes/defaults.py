"""The fields that a real API server fills in: what a client reads back is more than what it sent.

Source: k8s.io/kubernetes/pkg/apis/{core,apps}/v1/defaults.go.
"""

import base64
from collections.abc import Callable
from typing import Any

from deployments.drill.cluster.objects import JsonObject


def set_defaults(kind: str, obj: JsonObject) -> None:
    """Fill in an object's defaults, in place."""
    fill = _BY_KIND.get(kind)
    if fill:
        fill(obj)


def _secret(obj: JsonObject) -> None:
    obj.setdefault("type", "Opaque")
    # stringData is write-only: the server stores it under data and never returns it.
    for key, text in obj.pop("stringData", {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _pod_spec(spec: JsonObject) -> None:
    _setdefaults(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        _container(container)
    for volume in spec.get("volumes", []):
        for source in ("secret", "configMap"):
            if source in volume:
                volume[source].setdefault("defaultMode", 0o644)


def _container(container: JsonObject) -> None:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    _setdefaults(
        container,
        imagePullPolicy="Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent",
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    for port in container.get("ports", []):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", []):
        field = variable.get("valueFrom", {}).get("fieldRef")
        if field is not None:
            field.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])


def _probe(probe: JsonObject) -> None:
    _setdefaults(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        _setdefaults(probe["httpGet"], path="/", scheme="HTTP")


def _pod(obj: JsonObject) -> None:
    spec = obj.setdefault("spec", {})
    _pod_spec(spec)
    for container in spec.get("containers", []):  # a pod's requests follow its limits; a template's do not
        for limit, amount in container["resources"].get("limits", {}).items():
            container["resources"].setdefault("requests", {}).setdefault(limit, amount)
    _setdefaults(spec, enableServiceLinks=True, serviceAccountName="default", serviceAccount="default")


def _templated(obj: JsonObject) -> JsonObject:
    spec: JsonObject = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}))
    return spec


def _deployment(obj: JsonObject) -> None:
    spec = _templated(obj)
    _setdefaults(spec, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _setdefaults(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")


def _replica_set(obj: JsonObject) -> None:
    _templated(obj)


def _stateful_set(obj: JsonObject) -> None:
    spec = _templated(obj)
    _setdefaults(spec, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    _setdefaults(
        spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain"
    )


def _service(obj: JsonObject) -> None:
    spec = obj.setdefault("spec", {})
    _setdefaults(spec, type="ClusterIP", sessionAffinity="None", internalTrafficPolicy="Cluster")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


def _setdefaults(target: JsonObject, **defaults: Any) -> None:
    for key, value in defaults.items():
        target.setdefault(key, value)


_BY_KIND: dict[str, Callable[[JsonObject], None]] = {
    "Secret": _secret,
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "Service": _service,
    "PodDisruptionBudget": lambda obj: _setdefaults(obj, spec={}),
}
