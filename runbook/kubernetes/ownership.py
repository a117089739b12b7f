"""Who has set which field of an object, as the API server keeps it in `metadata.managedFields`.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/ (FieldsV1, field managers).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from runbook.kubernetes.patches import EFFECT_ANNOTATION
from runbook.outside_text import OutsideLine
from runbook.value import Value

FIELD_MANAGER = "posthog-incident-runbook"
"""The name under which the runbook itself writes."""

_CONTROLLERS = "kube-controller-manager"

SOMEBODY = "somebody"
"""Who did it, where the object does not say."""

Object = Mapping[str, Any]
FieldPath = tuple[str, ...]
"""A place in FieldsV1: `f:NAME` for a field, `k:{"name":"app"}` for an item of a list."""

SPEC: FieldPath = ("f:spec",)
CONTAINERS: FieldPath = ("f:spec", "f:template", "f:spec", "f:containers")

TOOLS = {
    "argocd": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "external-secrets": "External Secrets",
    "externalsecrets.external-secrets.io": "External Secrets",
    "vault-secrets-operator": "the Vault Secrets Operator",
    "sealed-secrets": "Sealed Secrets",
    "kube-controller-manager": "an autoscaler or another controller",
    "vpa-": "the Vertical Pod Autoscaler",
    "kubectl": "kubectl",
    "helm": "Helm",
}
"""How the names of field managers begin, and whose they are; the first that fits counts."""


class FieldOwner(Value):
    """A field manager. `operation` is `Apply` or `Update`."""

    manager: OutsideLine
    operation: OutsideLine = "Update"

    @property
    def tool(self) -> str:
        """The tool that writes under this name; empty where it is not known."""
        return next((tool for begin, tool in TOOLS.items() if self.manager.startswith(begin)), "")

    @property
    def title(self) -> str:
        """For people: `Flux (kustomize-controller)`."""
        return f"{self.tool} ({self.manager})" if self.tool not in ("", self.manager) else self.manager


class Writing(Value):
    """Who wrote an object or a field of it last, and when (aware UTC, the API server's clock)."""

    by: OutsideLine = SOMEBODY
    at: datetime | None = None

    def __str__(self) -> str:
        """For people: `Flux (kustomize-controller) at 12:03:04 UTC`."""
        return f"{self.by} at {self.at.astimezone(UTC):%H:%M:%S} UTC" if self.at else self.by


def without_contents(metadata: Object) -> dict[str, Any]:
    """The metadata without annotations that may repeat what the object holds: kubectl keeps a whole copy."""
    annotations = metadata.get("annotations") or {}
    told = {*KEEPER_ANNOTATIONS, EFFECT_ANNOTATION}
    kept = {name: value for name, value in annotations.items() if name in told}
    return {**metadata, "annotations": kept}


KEEPER_ANNOTATIONS = frozenset({"argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name"})
"""Annotations that say who applies the object."""


def item(key: str, value: str) -> str:
    """The place of an item in a list that merges by a key."""
    return f"k:{json.dumps({key: value}, separators=(',', ':'))}"


def owners(obj: Object, path: FieldPath) -> tuple[FieldOwner, ...]:
    """The field managers of a field, or of anything within it, but for the runbook itself."""
    found = [_owner(entry) for entry in _entries(obj) if _is_foreign(entry) and _owns(entry, path)]
    return tuple(dict.fromkeys(found))


def last_written(obj: Object, path: FieldPath) -> Writing:
    """Who has set a field as it is now; where nobody owns it any more, who has written since we did.

    The API server renews the time of an entry with every field that its manager sets or removes.
    """
    entries = [entry for entry in _entries(obj) if _is_foreign(entry)]
    owning = [entry for entry in entries if _owns(entry, path)]
    ours = [_time(entry) for entry in _entries(obj) if entry.get("manager") == FIELD_MANAGER]
    since = max(filter(None, ours), default=None)
    late = [entry for entry in entries if (at := _time(entry)) and (since is None or at >= since)]
    newest = max(owning or late, key=lambda entry: _time(entry) or _EARLY, default=None)
    return Writing() if newest is None else Writing(by=_owner(newest).title, at=_time(newest))


def written_since(obj: Object, path: FieldPath, since: datetime) -> tuple[Writing, ...]:
    """Who has written at a place or below it since then (aware UTC), each once, oldest first.

    Neither the runbook itself nor a controller of the cluster, such as an autoscaler, counts.
    """
    entries = [
        entry
        for entry in _entries(obj)
        if _is_foreign(entry) and entry["manager"] != _CONTROLLERS and _owns(entry, path)
    ]
    late = [(at, entry) for entry in entries if (at := _time(entry)) and at > since]
    return tuple(Writing(by=_owner(entry).title, at=at) for at, entry in sorted(late, key=lambda it: it[0]))


_EARLY = datetime.fromtimestamp(0, UTC)


def is_ours(obj: Object, path: FieldPath) -> bool:
    """Whether the runbook is a manager of a field, or of anything within it."""
    return any(entry.get("manager") == FIELD_MANAGER and _owns(entry, path) for entry in _entries(obj))


def handed_over(obj: Object, path: FieldPath, to: Iterable[FieldOwner]) -> list[dict[str, Any]]:
    """The object's managedFields with what we own at a place given to others.

    So an owner's next apply neither conflicts with us nor finds a field that it never had.
    """
    entries = deepcopy(list(obj["metadata"].get("managedFields") or ()))
    ours = [entry for entry in entries if entry.get("manager") == FIELD_MANAGER and _owns(entry, path)]
    for entry in ours:
        given = subtree(entry["fieldsV1"], path)
        entry["fieldsV1"] = _pruned(entry["fieldsV1"], path)
        for owner in to:
            theirs = next((other for other in entries if _owner(other) == owner), None)
            if theirs is None:
                theirs = {**entry, "manager": owner.manager, "operation": owner.operation, "fieldsV1": {}}
                entries.append(theirs)
            _graft(theirs["fieldsV1"], path, deepcopy(given))
    return [entry for entry in entries if entry.get("fieldsV1")]


def _pruned(fields: Object, path: FieldPath) -> dict[str, Any]:
    """The tree without a branch, and without what only led there."""
    kept = {key: below for key, below in fields.items() if not _same(key, path[0])}
    for key, below in fields.items():
        if _same(key, path[0]) and len(path) > 1 and (left := _pruned(below, path[1:])):
            kept[key] = left
    return kept


def _graft(fields: dict[str, Any], path: FieldPath, branch: Any) -> None:
    for name in path[:-1]:
        found = next((key for key in fields if _same(key, name)), name)
        fields = fields.setdefault(found, {})
    fields[path[-1]] = branch


def _entries(obj: Object) -> Iterator[Object]:
    """The entries of those who write the object; its status is another matter."""
    for entry in obj["metadata"].get("managedFields") or ():
        if entry.get("manager") and entry.get("subresource") != "status":
            yield entry


def _is_foreign(entry: Object) -> bool:
    return bool(entry["manager"] != FIELD_MANAGER)


def _owner(entry: Object) -> FieldOwner:
    return FieldOwner(manager=str(entry["manager"]), operation=str(entry.get("operation") or "Update"))


def _owns(entry: Object, path: FieldPath) -> bool:
    return subtree(entry.get("fieldsV1") or {}, path) is not None


def subtree(fields: Object, path: FieldPath) -> Object | None:
    """What an entry owns at a place and below it; `None` where it owns nothing there."""
    at = fields
    for name in path:
        found = next((key for key in at if _same(key, name)), None)
        if found is None:
            return None
        at = at[found]
    return at


def _same(one: str, other: str) -> bool:
    """Keys of items are JSON, which may be written in more than one way."""
    if one == other or not (one.startswith("k:") and other.startswith("k:")):
        return one == other
    try:
        return bool(json.loads(one[2:]) == json.loads(other[2:]))
    except ValueError:
        return False


def _time(entry: Object) -> datetime | None:
    written = entry.get("time")
    try:
        return datetime.fromisoformat(str(written)).astimezone(UTC) if written else None
    except ValueError:
        return None
