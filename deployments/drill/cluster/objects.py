"""The JSON objects that a Kubernetes API speaks, and the three things every part does with them."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

JsonObject = dict[str, Any]
"""One API object, in the JSON form of the wire."""

T = TypeVar("T")


_SCALARS = frozenset({str, int, float, bool, type(None)})


def copied(value: T) -> T:
    """A deep copy of a JSON value. Plain recursion: many times faster than `copy.deepcopy`."""
    result: T = _copied(value)
    return result


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {key: item if type(item) in _SCALARS else _copied(item) for key, item in value.items()}
    if kind is list or isinstance(value, list | tuple):
        return [item if type(item) in _SCALARS else _copied(item) for item in value]
    return value


def timestamp(at: datetime) -> str:
    """An instant as metav1.Time writes it: RFC 3339, UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed_timestamp(text: str) -> datetime:
    """The instant that an RFC 3339 text names, with or without a fraction. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def name_of(obj: JsonObject) -> str:
    """The object's name."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: JsonObject) -> str:
    """The object's namespace, empty for a cluster-scoped one."""
    return str(obj["metadata"].get("namespace", ""))


def uid_of(obj: JsonObject) -> str:
    """The object's uid."""
    return str(obj["metadata"]["uid"])


def annotations_of(obj: JsonObject) -> dict[str, str]:
    """The object's annotations, empty where it has none."""
    return obj["metadata"].get("annotations") or {}


def labels_of(obj: JsonObject) -> dict[str, str]:
    """The object's labels, empty where it has none."""
    return obj["metadata"].get("labels") or {}


def is_terminating(obj: JsonObject) -> bool:
    """Whether a deletion of the object was accepted but has not finished."""
    return "deletionTimestamp" in obj["metadata"]


def controller_of(obj: JsonObject) -> str | None:
    """The uid of the object that controls this one, if any."""
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return str(owner["uid"])
    return None


def go_text(value: Any) -> str:
    """A value as Go's %v prints it, which is how error messages quote one."""
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def decoded_secret_value(encoded: str) -> str:
    """A Secret's value as a container gets it."""
    return base64.b64decode(encoded).decode(errors="surrogateescape")
