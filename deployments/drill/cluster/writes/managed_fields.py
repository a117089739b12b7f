"""`metadata.managedFields`: which client has set which field of an object, as the API server keeps it.

Source: sigs.k8s.io/structured-merge-diff and k8s.io/apimachinery/pkg/util/managedfields. An update takes over
every field that it changes; an apply owns what its manifest names, and is refused where another manager's
field would change, unless it is forced. Kept for what people and tools apply: workloads and Secrets.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deployments.drill.cluster.kinds import DEPLOYMENT, SECRET, STATEFUL_SET, Kind
from deployments.drill.cluster.objects import JsonObject, copied
from deployments.drill.cluster.writes.strategic_merge import merge_key

TRACKED = (DEPLOYMENT, STATEFUL_SET, SECRET)

Path = tuple[str, ...]
"""A field as FieldsV1 writes it: `f:NAME`, `k:{"name":"app"}`, and `.` for an item or a map itself."""

_SERVER_METADATA = frozenset(
    {
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
    }
)
_ATOMIC = frozenset(
    {
        "selector",
        "nodeSelector",
        "matchLabels",
        "secretKeyRef",
        "configMapKeyRef",
        "fieldRef",
        "resourceFieldRef",
    }
)
"""Maps that have one owner as a whole."""


@dataclass(frozen=True)
class Writer:
    """Who writes: the field manager, how (`Update` or `Apply`), and through which subresource."""

    manager: str
    operation: str = "Update"
    subresource: str = ""


def owned_fields(obj: JsonObject) -> dict[Path, Any]:
    """Every field of an object that somebody can own, with its value."""
    fields = dict(_fields({key: item for key, item in obj.items() if key not in ("apiVersion", "kind")}, ()))
    return {path: value for path, value in fields.items() if not _is_the_servers(path)}


def _is_the_servers(path: Path) -> bool:
    return path[0] == "f:metadata" and (len(path) == 1 or path[1].removeprefix("f:") in _SERVER_METADATA)


def _fields(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    name = path[-1].removeprefix("f:") if path else ""
    if isinstance(value, dict) and value and name not in _ATOMIC:
        if path and not path[-1].startswith("f:"):
            yield (*path, "."), True
        for key, item in value.items():
            yield from _fields(item, (*path, f"f:{key}"))
        return
    key = merge_key(name, value[0]) if isinstance(value, list) and value else None
    if key and all(isinstance(item, dict) and key in item for item in value):
        for item in value:
            named = json.dumps({key: item[key]}, separators=(",", ":"))
            yield from _fields(item, (*path, f"k:{named}"))
        return
    yield path, value


def updated(kind: Kind, old: JsonObject | None, new: JsonObject, writer: Writer, at: str) -> list[JsonObject]:
    """The managers after an update from `old` to `new`, whose own managedFields count if it has some.

    So an update can rewrite them; `[{}]` removes them all.
    """
    given = new["metadata"].get("managedFields") or []
    if given == [{}]:
        known: list[JsonObject] = []
    elif any(given) and not writer.subresource:
        known = copied(given)
    else:
        known = copied((old or {"metadata": {}})["metadata"].get("managedFields") or [])
    before, after = owned_fields(old) if old else {}, owned_fields(new)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    removed = before.keys() - after.keys()
    if writer.subresource == "status":
        changed = {path for path in changed if path[0] == "f:status" or path[:2] == _ANNOTATIONS}
    else:
        changed = {path for path in changed if path[0] != "f:status"}
    return _noted(kind, known, writer, at, changed=changed, removed=set(removed))


_ANNOTATIONS = ("f:metadata", "f:annotations")


def _noted(
    kind: Kind, known: list[JsonObject], writer: Writer, at: str, *, changed: set[Path], removed: set[Path]
) -> list[JsonObject]:
    entries = []
    mine: set[Path] = set()
    since = at
    for entry in known:
        owned = paths_of(entry)
        if writer_of(entry) == writer:
            mine, since = owned, str(entry.get("time", at))
        elif kept := owned - changed - removed:
            entries.append(entry if kept == owned else {**entry, "fieldsV1": _tree(kept)})
    if changed or mine & removed:
        since = at
    if owned := (mine | changed) - removed:
        entries.append(_entry(kind, writer, owned, since))
    return sorted(entries, key=lambda entry: (entry["operation"], str(entry.get("time", ""))))


def applied(
    kind: Kind, old: JsonObject, new: JsonObject, config: JsonObject, writer: Writer, at: str
) -> list[JsonObject]:
    """The managers after an apply of `config` that is forced or undisputed and changed `old` to `new`."""
    before, after, named = owned_fields(old), owned_fields(new), set(owned_fields(config))
    changed = {path for path in named if path not in before or before[path] != after.get(path)}
    removed = set(before.keys() - after.keys())
    entries = []
    since = at
    for entry in copied(old["metadata"].get("managedFields") or []):
        owned = paths_of(entry)
        if writer_of(entry) == writer:
            since = str(entry["time"]) if owned == named and not changed else at
        elif kept := owned - changed - removed:
            entries.append(entry if kept == owned else {**entry, "fieldsV1": _tree(kept)})
    entries.append(_entry(kind, writer, named, since))
    return sorted(entries, key=lambda entry: (entry["operation"], str(entry.get("time", ""))))


def disputed(old: JsonObject, config: JsonObject, writer: Writer) -> dict[str, list[str]]:
    """The fields of `config` that others own and it would change, by manager, as the error names them."""
    before, wanted = owned_fields(old), owned_fields(config)
    changed = {path for path, value in wanted.items() if before.get(path, _ABSENT) != value}
    found: dict[str, list[str]] = {}
    for entry in old["metadata"].get("managedFields") or []:
        if writer_of(entry) == writer:
            continue
        if fields := sorted(_readable(path) for path in paths_of(entry) & changed):
            found.setdefault(str(entry["manager"]), []).extend(fields)
    return found


_ABSENT = object()


def abandoned(old: JsonObject, config: JsonObject, writer: Writer) -> set[Path]:
    """Fields that the writer no longer applies and nobody else owns. An apply removes them."""
    entries = old["metadata"].get("managedFields") or []
    mine = {path for entry in entries if writer_of(entry) == writer for path in paths_of(entry)}
    others = {path for entry in entries if writer_of(entry) != writer for path in paths_of(entry)}
    return mine - set(owned_fields(config)) - others


def without(obj: JsonObject, gone: set[Path]) -> JsonObject:
    """The object without these fields; an item that loses itself goes as a whole."""
    left: JsonObject = _without(copied(obj), gone, ())
    return left


def _without(value: Any, gone: set[Path], path: Path) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            where = (*path, f"f:{key}")
            if where in gone:
                continue
            left = _without(item, gone, where)
            if left not in ({}, []) or item in ({}, []):
                kept[key] = left
        return kept
    if isinstance(value, list):
        key = (
            merge_key(path[-1].removeprefix("f:"), value[0]) if value and isinstance(value[0], dict) else None
        )
        if key is None:
            return value
        kept_items = []
        for item in value:
            where = (*path, f"k:{json.dumps({key: item.get(key)}, separators=(',', ':'))}")
            if (*where, ".") not in gone:
                kept_items.append(_without(item, gone, where))
        return kept_items
    return value


def writer_of(entry: JsonObject) -> Writer:
    """Whose entry it is."""
    return Writer(
        str(entry.get("manager", "")), str(entry.get("operation", "")), str(entry.get("subresource", ""))
    )


def paths_of(entry: JsonObject) -> set[Path]:
    """The fields of an entry."""
    return set(_walk(entry.get("fieldsV1") or {}, ()))


def _walk(tree: JsonObject, path: Path) -> Iterator[Path]:
    for name, below in tree.items():
        if below:
            yield from _walk(below, (*path, name))
        else:
            yield (*path, name)


def _tree(paths: set[Path]) -> JsonObject:
    tree: JsonObject = {}
    for path in sorted(paths):
        at = tree
        for name in path:
            at = at.setdefault(name, {})
    return tree


def _entry(kind: Kind, writer: Writer, paths: set[Path], at: str) -> JsonObject:
    entry: JsonObject = {
        "manager": writer.manager,
        "operation": writer.operation,
        "apiVersion": kind.api_version,
        "time": at,
        "fieldsType": "FieldsV1",
        "fieldsV1": _tree(paths),
    }
    return entry | ({"subresource": writer.subresource} if writer.subresource else {})


def _readable(path: Path) -> str:
    words = []
    for name in path:
        if name.startswith("f:"):
            words.append(f".{name.removeprefix('f:')}")
        elif name.startswith("k:"):
            key, value = next(iter(json.loads(name.removeprefix("k:")).items()))
            words.append(f"[{key}={json.dumps(value)}]")
    return "".join(words)
