"""The path of a value in a JSON document: `services.posthog.status`, `checks.posthog:responseTime[0].status`.

Names are joined by dots, `[0]` is an item of a list, and a name with dots or brackets stands in quotes:
`checks."posthog.com"[0].status`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

DEFAULT_PATH = "services.posthog.status"
"""The runbook's `jq '.services.posthog'`."""

_NAMES = ("name", "id", "componentid", "checkid", "key", "servicename", "service", "component")

Step = str | int

_STEP = re.compile(
    r"(?P<dot>\.)?(?:\"(?P<double>[^\"]+)\"|'(?P<single>[^']+)'|(?P<bare>[^.\[\]\"']+))"
    r"|\[(?P<index>-?\d{1,6})\]|\[(?:\"(?P<key>[^\"]+)\"|'(?P<key2>[^']+)')\]"
)


class InvalidPath(ValueError):
    """The path cannot be read; the text says where and how one looks."""


class Place(NamedTuple):
    """A value that was found, and the object that it stands in."""

    value: Any
    parent: Any


def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path, names and indexes.

    Raises:
        InvalidPath: it is empty, or something in it is neither a name nor an index.
    """
    steps: list[Step] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or (at > 0 and _is_name(found) and not found["dot"]):
            raise InvalidPath(
                f"{path!r} is no path: cannot read {path[at:]!r}. Write names joined by dots, [0] for an "
                'item of a list, and quotes around a name with dots: checks."posthog.com"[0].status'
            )
        name = found["double"] or found["single"] or found["bare"] or found["key"] or found["key2"]
        steps.append(int(found["index"]) if found["index"] else name)
        at = found.end()
    if not steps:
        raise InvalidPath("the path is empty: write where the status is, such as services.posthog.status")
    return tuple(steps)


def follow(document: Any, steps: tuple[Step, ...]) -> Place | None:
    """The value at the end of the steps; `None` where one of them leads nowhere.

    A name leads to the item of a list that bears it, too. Where no name is written like the step, one that
    differs in capitals alone is meant.
    """
    place = Place(document, None)
    for step in steps:
        value = place.value
        if isinstance(value, Mapping) and isinstance(step, str) and (name := _key(value, step)) is not None:
            place = Place(value[name], value)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            place = Place(value[step], place.parent)
        elif isinstance(value, list) and isinstance(step, str) and (item := _named(value, step)) is not None:
            place = Place(item, place.parent)
        else:
            return None
    return place


def _key(value: Mapping[Any, Any], step: str) -> str | None:
    if step in value:
        return step
    alike = [key for key in value if isinstance(key, str) and key.casefold() == step.casefold()]
    return alike[0] if len(alike) == 1 else None


def _is_name(found: re.Match[str]) -> bool:
    return bool(found["double"] or found["single"] or found["bare"])


def _named(items: list[Any], name: str) -> Any:
    return next((item for item in items if isinstance(item, Mapping) and name in names_of(item)), None)


def names_of(item: Mapping[Any, Any]) -> tuple[str, ...]:
    """What an item of a list calls itself."""
    fields = {key.casefold(): value for key, value in item.items() if isinstance(key, str)}
    return tuple(name for key in _NAMES if isinstance(name := fields.get(key), str))
