"""Which fields of an object a diff changes, read from the object as it is and the diff of its YAML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from pydantic import JsonValue

_HUNK = re.compile(r"@@ -(?P<start>\d+)(?:,(?P<length>\d+))? \+\d+(?:,\d+)? @@")
_METADATA = ("annotations", "labels")

Path = tuple[str, ...]


@dataclass(frozen=True)
class FieldChange:
    """A field, called as people call it, with what it is and what it will be; `None` is not set."""

    name: str
    before: str | None
    after: str | None


def changed_fields(live: str, diff: str) -> tuple[FieldChange, ...] | None:
    """The fields that change, without annotations and labels; `None` where the diff is not of this object.

    Both are YAML as `runbook.kubernetes.diff` writes it, secrets masked.
    """
    changed = _patched(live.splitlines(), diff.splitlines())
    if changed is None:
        return None
    try:
        before, after = yaml.safe_load(live), yaml.safe_load("\n".join(changed))
    except yaml.YAMLError:
        return None
    old, new = dict(_leaves(before)), dict(_leaves(after))
    paths = [path for path in dict.fromkeys([*old, *new]) if old.get(path) != new.get(path)]
    return tuple(
        FieldChange(_name(path), old.get(path), new.get(path)) for path in paths if not _of_metadata(path)
    )


def _patched(live: list[str], diff: list[str]) -> list[str] | None:
    """The text after the diff; `None` where one of its lines is not there."""
    made: list[str] = []
    at = 0
    for line in diff:
        if line.startswith(("--- ", "+++ ")) and not made and not at:
            continue
        if hunk := _HUNK.fullmatch(line):
            start = max(int(hunk["start"]) - (hunk["length"] != "0"), 0)
            if not at <= start <= len(live):
                return None
            made += live[at:start]
            at = start
        elif line.startswith("+"):
            made.append(line[1:])
        elif at >= len(live) or live[at] != line[1:]:
            return None
        else:
            made += [] if line.startswith("-") else [live[at]]
            at += 1
    return made + live[at:]


def _leaves(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "name" or not _is_entry(path):
                yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("name") if isinstance(item, dict) else None
            yield from _leaves(item, (*path, f"[{name if isinstance(name, str) else index}]"))
    else:
        yield path, _text(value)


def _is_entry(path: Path) -> bool:
    return bool(path) and path[-1].startswith("[")


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _of_metadata(path: Path) -> bool:
    return any(part in _METADATA for part in path)


def _name(path: Path) -> str:
    """`env LOG_LEVEL`, `image of app`, `memory limit of app`, `replicas`: the end of the path."""
    entry = next((part[1:-1] for part in reversed(path) if part.startswith("[")), "")
    if "env" in path:
        return f"env {entry}"
    if path[-3:-1] == ("resources", "limits") or path[-3:-1] == ("resources", "requests"):
        return f"{path[-1]} {path[-2].removesuffix('s')} of {entry}"
    return f"{path[-1].strip('[]')} of {entry}" if entry and not _is_entry(path) else path[-1].strip("[]")
