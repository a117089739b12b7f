"""The rules that an object must keep to be stored; what breaks one is answered with 422 and its causes.

Source: k8s.io/kubernetes/pkg/apis/{core,apps}/validation, as far as an incident's commands can run into it.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.errors import Cause
from deployments.drill.cluster.server.selectors import matches_selector

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_ENV_NAME = re.compile(r"^[ -<>-~]+$")
_DATA_KEY = re.compile(r"^[-._a-zA-Z0-9]+$")
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character"
)
_POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_STATEFUL_SET_CHANGEABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_STATEFUL_SET_RULE = (
    "updates to statefulset spec for fields other than "
    + ", ".join(f"'{field}'" for field in _STATEFUL_SET_CHANGEABLE[:-1])
    + f" and '{_STATEFUL_SET_CHANGEABLE[-1]}' are forbidden"
)
_PERCENTAGE = "must be an integer or a percentage of at most 100 (e.g '5%')"
_NOT_NEGATIVE = "must be greater than or equal to 0"
_IMMUTABLE = "field is immutable"


def violations(kind: str, obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Every rule that the object breaks, also as a change of `old`; an empty list for a valid one."""
    causes = _metadata(obj)
    check = _BY_KIND.get(kind)
    if check:
        causes += check(obj, old)
    return causes


def _metadata(obj: JsonObject) -> list[Cause]:
    name = obj["metadata"].get("name", "")
    if not name:
        return [Cause.required("metadata.name", "name or generateName is required")]
    if not _SUBDOMAIN.match(name) or len(name) > 253:
        return [Cause.invalid("metadata.name", name, _SUBDOMAIN_RULE)]
    return []


def _keys(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    causes = [
        Cause.invalid(
            f"data[{key}]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        )
        for key in obj.get("data", {})
        if not _DATA_KEY.match(key)
    ]
    if (
        old is not None
        and old.get("immutable")
        and (obj.get("data") != old.get("data") or not obj.get("immutable"))
    ):
        causes.append(Cause.forbidden("data", "field is immutable when `immutable` is set"))
    return causes


def _secret(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    causes = _keys(obj, old)
    if old is not None and obj.get("type") != old.get("type"):
        causes.append(Cause.invalid("type", obj.get("type"), _IMMUTABLE))
    return causes


def _workload(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    for field in ("replicas", "revisionHistoryLimit", "progressDeadlineSeconds", "minReadySeconds"):
        if spec.get(field, 0) < 0:
            causes.append(Cause.invalid(f"spec.{field}", spec[field], _NOT_NEGATIVE))
    selector = spec.get("selector") or {}
    if not selector:
        causes.append(Cause.required("spec.selector"))
    elif not matches_selector(selector, spec["template"]["metadata"].get("labels") or {}):
        labels = _go_map(spec["template"]["metadata"].get("labels") or {})
        causes.append(
            Cause("spec.template.metadata.labels", "FieldValueInvalid",
                  f"Invalid value: map[string]string{labels}: `selector` does not match template `labels`")
        )  # fmt: skip
    if old is not None and selector != old["spec"].get("selector"):
        causes.append(Cause.invalid("spec.selector", "LabelSelector", _IMMUTABLE))
    causes += _pod_spec(spec["template"]["spec"], "spec.template.spec")
    if spec["template"]["spec"].get("restartPolicy") != "Always":
        shown = spec["template"]["spec"].get("restartPolicy")
        causes.append(
            Cause("spec.template.spec.restartPolicy", "FieldValueNotSupported",
                  f'Unsupported value: "{shown}": supported values: "Always"')
        )  # fmt: skip
    return causes


def _deployment(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    causes = _workload(obj, old)
    rolling = obj["spec"]["strategy"].get("rollingUpdate")
    if obj["spec"]["strategy"]["type"] == "Recreate" and rolling:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(Cause.forbidden("spec.strategy.rollingUpdate", detail))
    elif rolling and _is_zero(rolling.get("maxSurge")) and _is_zero(rolling.get("maxUnavailable")):
        detail = "may not be 0 when `maxSurge` is 0"
        causes.append(Cause.invalid("spec.strategy.rollingUpdate.maxUnavailable", 0, detail))
    return causes


def _stateful_set(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    causes = _workload(obj, old)
    if old is not None and _fixed(obj["spec"]) != _fixed(old["spec"]):
        causes.append(Cause.forbidden("spec", _STATEFUL_SET_RULE))
    return causes


def _fixed(spec: JsonObject) -> JsonObject:
    return {key: value for key, value in spec.items() if key not in _STATEFUL_SET_CHANGEABLE}


def _disruption_budget(obj: JsonObject, old: JsonObject | None) -> list[Cause]:  # noqa: ARG001 - one of many checks
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        detail = "minAvailable and maxUnavailable cannot be both set"
        causes.append(Cause("spec", "FieldValueInvalid", f"Invalid value: {json.dumps(spec)}: {detail}"))
    for field in ("minAvailable", "maxUnavailable"):
        amount = spec.get(field, 0)
        if isinstance(amount, int) and amount < 0:
            causes.append(Cause.invalid(f"spec.{field}", amount, _NOT_NEGATIVE))
        if isinstance(amount, str) and not re.fullmatch(r"\d{1,2}%|100%", amount):
            causes.append(Cause.invalid(f"spec.{field}", amount, _PERCENTAGE))
    return causes


def _is_zero(amount: Any) -> bool:
    return str(amount).rstrip("%") == "0"


def _pod(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    causes = _pod_spec(obj["spec"], "spec")
    if old is not None and _without_images(obj["spec"]) != _without_images(old["spec"]):
        causes.append(Cause.forbidden("spec", _POD_RULE))
    return causes


def _without_images(spec: JsonObject) -> JsonObject:
    bare = {key: value for key, value in spec.items() if key not in ("activeDeadlineSeconds", "tolerations")}
    for group in ("containers", "initContainers"):
        bare[group] = [{**container, "image": ""} for container in spec.get(group, [])]
    return bare


def _pod_spec(spec: JsonObject, path: str) -> list[Cause]:
    if not spec.get("containers"):
        return [Cause.required(f"{path}.containers")]
    causes: list[Cause] = []
    names: set[str] = set()
    for group in ("initContainers", "containers"):
        for n, container in enumerate(spec.get(group, [])):
            causes += _container(container, f"{path}.{group}[{n}]", names)
    return causes


def _container(container: JsonObject, path: str, names: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    name = container.get("name", "")
    if not name:
        causes.append(Cause.required(f"{path}.name"))
    elif not _LABEL.match(name):
        detail = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
        causes.append(Cause.invalid(f"{path}.name", name, detail))
    elif name in names:
        causes.append(Cause.duplicate(f"{path}.name", name))
    names.add(name)
    if not container.get("image"):
        causes.append(Cause.required(f"{path}.image"))
    for n, variable in enumerate(container.get("env", [])):
        causes += _variable(variable, f"{path}.env[{n}]")
    for n, port in enumerate(container.get("ports", [])):
        if not 0 < port.get("containerPort", 0) < 65536:
            shown = port.get("containerPort", 0)
            detail = "must be between 1 and 65535, inclusive"
            causes.append(Cause.invalid(f"{path}.ports[{n}].containerPort", shown, detail))
    return causes


def _variable(variable: JsonObject, path: str) -> list[Cause]:
    name = variable.get("name", "")
    if not name:
        return [Cause.required(f"{path}.name")]
    causes: list[Cause] = []
    if not _ENV_NAME.match(name):
        detail = (
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        )
        causes.append(Cause.invalid(f"{path}.name", name, detail))
    source = variable.get("valueFrom")
    if source is None:
        return causes
    if variable.get("value"):
        causes.append(
            Cause.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
        )
    if len(source) != 1:
        detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        causes.append(Cause.invalid(f"{path}.valueFrom", "", detail))
    for reference in ("secretKeyRef", "configMapKeyRef"):
        if reference in source and not source[reference].get("key"):
            causes.append(Cause.required(f"{path}.valueFrom.{reference}.key"))
    return causes


def _go_map(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{key}":"{labels[key]}"' for key in sorted(labels)) + "}"


_BY_KIND: dict[str, Callable[[JsonObject, JsonObject | None], list[Cause]]] = {
    "ConfigMap": _keys,
    "Deployment": _deployment,
    "Pod": _pod,
    "ReplicaSet": _workload,
    "Secret": _secret,
    "PodDisruptionBudget": _disruption_budget,
    "StatefulSet": _stateful_set,
}
