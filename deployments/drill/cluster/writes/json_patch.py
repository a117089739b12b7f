"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386)."""

from typing import Any

from deployments.drill.cluster.objects import JsonObject, copied
from deployments.drill.cluster.server.errors import ApiError, bad_request


def merge_patched(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copied(patch)
    result: JsonObject = copied(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patched(result.get(key), value)
    return result


def json_patched(target: JsonObject, operations: Any) -> JsonObject:
    """The target after a JSON patch. Raises ApiError 400 for a malformed one, 422 if it does not apply."""
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    document: Any = copied(target)
    for operation in operations:
        document = _applied(document, operation)
    if not isinstance(document, dict):
        raise _does_not_apply()
    return document


def _does_not_apply() -> ApiError:
    # A real server answers with this generic text whichever operation failed.
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _applied(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise bad_request("error decoding patch: each operation needs an op and a path")
    path = _steps(operation["path"])
    match operation.get("op"):
        case "add":
            return _added(document, path, copied(operation.get("value")))
        case "replace":
            _at(document, path)
            return _replaced(document, path, copied(operation.get("value")))
        case "remove":
            _at(document, path)
            return _removed(document, path)
        case "test":
            if _at(document, path) != operation.get("value"):
                raise _does_not_apply()
            return document
        case "copy":
            return _added(document, path, copied(_at(document, _steps(operation.get("from", "")))))
        case "move":
            source = _steps(operation.get("from", ""))
            moved = _at(document, source)
            return _added(_removed(document, source), path, moved)
        case other:
            raise bad_request(f"error decoding patch: unexpected kind: {other}")


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _index(step: str, upto: int) -> int:
    if not step.isdigit() or int(step) > upto:
        raise _does_not_apply()
    return int(step)


def _at(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, list):
            document = document[_index(step, len(document) - 1)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            raise _does_not_apply()
    return document


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _at(document, path[:-1])
    if isinstance(parent, list):
        at = len(parent) if path[-1] == "-" else _index(path[-1], len(parent))
        parent.insert(at, value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise _does_not_apply()
    return document


def _replaced(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _at(document, path[:-1])
    if isinstance(parent, list):
        parent[_index(path[-1], len(parent) - 1)] = value
    else:
        parent[path[-1]] = value
    return document


def _removed(document: Any, path: list[str]) -> Any:
    if not path:
        raise _does_not_apply()
    parent = _at(document, path[:-1])
    if isinstance(parent, list):
        del parent[_index(path[-1], len(parent) - 1)]
    else:
        del parent[path[-1]]
    return document
