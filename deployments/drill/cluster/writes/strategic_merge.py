"""Strategic merge patch: lists of objects merge by the key that their type declares.

Source: k8s.io/apimachinery/pkg/util/strategicpatch and its design notes. Understood directives: `$patch`
(delete, replace, merge), `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>` and `$retainKeys`.
"""

from typing import Any

from deployments.drill.cluster.objects import JsonObject, copied, go_text
from deployments.drill.cluster.server.errors import ApiError, bad_request

_MERGE_KEYS = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "resourceClaims": "name",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
_MERGED_PRIMITIVES = {"finalizers"}
_ORDER, _DELETE, _RETAIN, _PATCH = "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch"


def merge_key(field: str, item: JsonObject) -> str | None:
    """The key by which a list of this name merges; `None` where it is replaced as a whole."""
    if field == "ports":  # a container's ports merge by containerPort, a service's by port
        return "port" if "port" in item and "containerPort" not in item else "containerPort"
    return _MERGE_KEYS.get(field)


def strategically_merged(target: JsonObject, patch: JsonObject) -> JsonObject:
    """The target after a strategic merge patch. Raises ApiError for what it cannot place."""
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: copied(value) for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"unrecognized type: unknown patch directive {directive!r}")
    result: JsonObject = copied(target)
    if _RETAIN in patch:
        result = {key: value for key, value in result.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(result, key, value)
    for key, value in patch.items():
        if key.startswith(_DELETE):
            field = key.removeprefix(_DELETE)
            result[field] = [item for item in result.get(field) or [] if item not in value]
    for key, value in patch.items():
        if key.startswith(_ORDER):
            field = key.removeprefix(_ORDER)
            if result.get(field):
                result[field] = _in_order(field, result[field], value)
    return result


def _merge_field(result: JsonObject, key: str, value: Any) -> None:
    current = result.get(key)
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        result[key] = strategically_merged(current if isinstance(current, dict) else {}, value)
    elif isinstance(value, list):
        result[key] = _merged_list(key, current if isinstance(current, list) else [], value)
    else:
        result[key] = value


def _merged_list(field: str, current: list[Any], patch: list[Any]) -> list[Any]:
    if field in _MERGED_PRIMITIVES:
        return [*current, *(item for item in patch if item not in current)]
    if not any(isinstance(item, dict) for item in patch):
        return copied(patch) if patch or not _merges(field) else current
    if {_PATCH: "replace"} in patch:
        return [copied(item) for item in patch if item != {_PATCH: "replace"}]
    result = copied(current)
    for item in patch:
        key = merge_key(field, item)
        if key is None:
            return copied(patch)
        if key not in item:
            # A 500 without a reason in the real server too: no validation has seen the patch yet.
            text = f"map: {go_text(item)} does not contain declared merge key: {key}"
            raise ApiError(500, "", text)
        _merge_item(result, key, item)
    return result


def _merges(field: str) -> bool:
    return field in _MERGE_KEYS or field == "ports"


def _merge_item(result: list[Any], key: str, item: JsonObject) -> None:
    at = next((n for n, existing in enumerate(result) if existing.get(key) == item[key]), None)
    if item.get(_PATCH) == "delete":
        if at is not None:
            del result[at]
    elif at is None:
        result.append(strategically_merged({}, item))
    else:
        result[at] = strategically_merged(result[at], item)


def _in_order(field: str, items: list[Any], order: list[Any]) -> list[Any]:
    """Items that the directive names take its order; the others keep their place."""

    def identity(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        key = merge_key(field, item)
        return item.get(key) if key else None

    rank = {identity(item): n for n, item in enumerate(order)}
    named = iter(
        sorted((item for item in items if identity(item) in rank), key=lambda item: rank[identity(item)])
    )
    return [next(named) if identity(item) in rank else item for item in items]
