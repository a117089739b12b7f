"""Paths into JSON, as settings write them.

| Path | What it finds |
|---|---|
| `state` | the value of that key |
| `alert.id` | a key within an object |
| `alerts[0].id` | the first item of a list |
| `"a.b".c` | a key with a dot in it, in quotes |
| `tags[service]` | the value of the tag `service`, see `_tagged` |

A text that holds JSON is looked into as if it were that JSON. There is nothing else: a payload cannot make
a path cost more than its own length.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BeforeValidator

from runbook.policy.settings_tables import Unfit
from runbook.value import Value

MAX_PATH = 300

_STEP = re.compile(
    r'(?P<dot>\.)?(?:"(?P<quoted>[^"]+)"|(?P<key>[^\s."\[\]]+))|\[(?P<index>\d{1,6})\]|\[(?P<tag>[^\W\d][^\s"\[\]]*)\]'
)
_ADVICE = "write keys with dots between them, such as data.alerts[0].status"
_NAMES = ("name", "key", "tag")
"""What the name of a tag is called where tags are objects."""


class Tag(Value):
    """A step into a list of tags: the value of the tag of that name."""

    name: str


Step = str | int | Tag


class Found(Value):
    """A value that is there, and the path that led to it."""

    path: str
    value: Any

    @property
    def text(self) -> str:
        """The value as text: numbers and truth values as JSON writes them."""
        return self.value if isinstance(self.value, str) else orjson.dumps(self.value).decode()


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[Step, ...]:
    """The steps of a path.

    Raises:
        Unfit: it is none; the text says how one is written.
    """
    if not path.strip() or len(path) > MAX_PATH:
        raise Unfit(f"not a path of 1 to {MAX_PATH} characters", _ADVICE)
    found: list[Step] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or (step["dot"] is None) != (not found or step[0].startswith("[")):
            raise Unfit(f"no path from its character {at + 1} on", _ADVICE)
        found.append(_step(step))
        at = step.end()
    return tuple(found)


def _step(step: re.Match[str]) -> Step:
    if step["index"] is not None:
        return int(step["index"])
    return Tag(name=step["tag"]) if step["tag"] is not None else step["quoted"] or step["key"]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _checked(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        steps(path)
    return paths


Paths = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_checked)]
"""One path or several, of which the first counts that finds something."""


def find(payload: Any, paths: Sequence[str]) -> Found | None:
    """The first text, number or truth value that one of the paths leads to; nothing empty counts."""
    for path in paths:
        value = _at(payload, steps(path))
        if isinstance(value, bool | int | float) or (isinstance(value, str) and value.strip()):
            return Found(path=path, value=value)
    return None


def _at(value: Any, path: Sequence[Step]) -> Any:
    for step in path:
        value = _decoded(value) if not isinstance(step, Tag) else value
        if isinstance(step, Tag):
            value = _tagged(value, step.name)
        elif isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def _decoded(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def _tagged(value: Any, name: str) -> Any:
    """The value of a tag: in an object, among `name:value` texts, in objects with `value`, or in pairs."""
    tags = _decoded(value)
    if isinstance(tags, dict):
        return tags.get(name)
    items = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    return next((found for item in items if (found := _value_of(item, name)) is not None), None)


def _value_of(item: Any, name: str) -> Any:
    match item:
        case str():
            key, _, value = item.strip().partition(":")
            return value if key == name and value else None
        case [str(key), value]:
            return value if key == name else None
        case {"value": value}:
            return value if name in (item.get(key) for key in _NAMES) else None
    return None
