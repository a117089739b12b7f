"""What a container's process finds in its environment, resolved once, when the container starts.

That is why a new value in a Secret reaches a process only after its container started again.
Source: k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables.
"""

import re
from collections.abc import Mapping

from deployments.drill.cluster.kinds import CONFIG_MAP, SECRET, Kind
from deployments.drill.cluster.objects import (
    JsonObject,
    annotations_of,
    decoded_secret_value,
    labels_of,
    name_of,
    namespace_of,
)
from deployments.drill.cluster.store import Store

_REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['(.+)'\]$")
_UNITS = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


class ConfigurationError(Exception):
    """A reference in a container's environment has no target; the text is the kubelet's."""


def byte_count(quantity: str) -> int:
    """A memory quantity such as `256Mi` in bytes. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", quantity)
    if not found or found[2] not in _UNITS:
        raise ValueError(f"not a memory quantity: {quantity!r}")
    return int(float(found[1]) * _UNITS[found[2]])


def memory_limit(container: JsonObject) -> int | None:
    """A container's memory limit in bytes, or None."""
    limit = container.get("resources", {}).get("limits", {}).get("memory")
    return None if limit is None else byte_count(str(limit))


def environment(store: Store, pod: JsonObject, container: JsonObject) -> dict[str, str]:
    """The environment that the container starts with. Raises ConfigurationError."""
    result: dict[str, str] = {}
    for source in container.get("envFrom", []):
        result.update(_bulk(store, namespace_of(pod), source))
    for variable in container.get("env", []):
        value = _value(store, pod, container, variable, result)
        if value is not None:
            result[variable["name"]] = value
    return result


def _value(
    store: Store, pod: JsonObject, container: JsonObject, variable: JsonObject, known: Mapping[str, str]
) -> str | None:
    source = variable.get("valueFrom")
    if source is None:
        return _expanded(variable.get("value", ""), known)
    if "secretKeyRef" in source:
        return _key(store, SECRET, namespace_of(pod), source["secretKeyRef"])
    if "configMapKeyRef" in source:
        return _key(store, CONFIG_MAP, namespace_of(pod), source["configMapKeyRef"])
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    return _resource(container, source["resourceFieldRef"]["resource"])


def _data(store: Store, kind: Kind, namespace: str, reference: JsonObject) -> dict[str, str] | None:
    found = store.get(kind, namespace, reference["name"])
    if found is None:
        if reference.get("optional"):
            return None
        raise ConfigurationError(f'{kind.kind.lower()} "{reference["name"]}" not found')
    data: dict[str, str] = found.get("data", {})
    return {key: decoded_secret_value(value) for key, value in data.items()} if kind is SECRET else data


def _key(store: Store, kind: Kind, namespace: str, reference: JsonObject) -> str | None:
    data = _data(store, kind, namespace, reference)
    if data is None or (reference["key"] not in data and reference.get("optional")):
        return None
    if reference["key"] not in data:
        raise ConfigurationError(
            f"couldn't find key {reference['key']} in {kind.kind} {namespace}/{reference['name']}"
        )
    return data[reference["key"]]


def _bulk(store: Store, namespace: str, source: JsonObject) -> dict[str, str]:
    kind, reference = (
        (SECRET, source["secretRef"]) if "secretRef" in source else (CONFIG_MAP, source["configMapRef"])
    )
    data = _data(store, kind, namespace, reference) or {}
    return {source.get("prefix", "") + key: value for key, value in data.items()}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    def replacement(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return known.get(found[1], found[0])  # a name that is not known stays as written

    return _REFERENCE.sub(replacement, text)


def _field(pod: JsonObject, path: str) -> str:
    if found := _SUBSCRIPT.match(path):
        return (labels_of(pod) if found[1] == "labels" else annotations_of(pod)).get(found[2], "")
    fields = {
        "metadata.name": name_of(pod),
        "metadata.namespace": namespace_of(pod),
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.podIP": pod.get("status", {}).get("podIP", ""),
        "status.hostIP": pod.get("status", {}).get("hostIP", ""),
    }
    return str(fields.get(path, ""))


def _resource(container: JsonObject, resource: str) -> str:
    group, _, name = resource.partition(".")
    amount = str(container.get("resources", {}).get(group, {}).get(name, "0"))
    return str(byte_count(amount)) if name == "memory" else amount
