"""Evidence: what is kept, when it is due, and the manifest that seals it."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from runbook.incidents.events import EvidenceCollected, FileNotWritten
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

MANIFEST = "manifest.json"


def collection_name(seconds_after: int) -> str:
    """The name of the collection that is due this long after the resolution: `resolution`, `after-1h`."""
    if seconds_after == 0:
        return "resolution"
    hours, rest = divmod(seconds_after, 3600)
    return f"after-{hours}h" if rest == 0 else f"after-{seconds_after}s"


def in_this_life(collection: str, incident: Incident) -> str:
    """The name of a collection; another one after each reopening: `after-1h`, then `after-1h-2`."""
    return f"{collection}-{incident.reopened + 1}" if incident.reopened else collection


def last_collection(incident: Incident) -> str:
    """The name of the collection that is due when the response ends."""
    return in_this_life(collection_name(0), incident)


def before_mitigation(incident: Incident) -> str:
    """The name of the collection of what a change may destroy."""
    return in_this_life(BEFORE_MITIGATION, incident)


def due_collections(incident: Incident, *, policy: Policy, now: datetime) -> tuple[str, ...]:
    """The collections whose time has come and that the journal does not have yet."""
    if incident.resolved_at is None:
        return ()
    have = {event.collection for event in incident.events(EvidenceCollected)}
    due = [
        in_this_life(collection_name(seconds), incident)
        for seconds in policy.evidence_due_seconds
        if now >= incident.resolved_at + timedelta(seconds=seconds)
    ]
    return tuple(name for name in due if name not in have)


BEFORE_MITIGATION = "before-mitigation"
"""The collection of what a change may destroy."""


def evidence_name(collection: str) -> str:
    """What people call a collection."""
    return f"evidence {collection}"


def gap_before_change(incident: Incident) -> str:
    """What people must know before a change that may destroy it: why what is there now could not be kept.

    Empty where it was, or where nobody has tried.
    """
    collection = before_mitigation(incident)
    name = evidence_name(collection)
    failed = [event for event in incident.events(FileNotWritten) if event.what == name]
    if not failed:
        return ""
    kept = [event for event in incident.events(EvidenceCollected) if event.collection == collection]
    if not kept:
        return f"none of it could be written ({failed[-1].because})"
    return f"not all of it could be written ({failed[-1].because})"


def seal(
    files: Mapping[str, bytes],
    *,
    incident: Incident,
    collection: str,
    missing: Mapping[str, str],
    at: datetime,
) -> bytes:
    """The manifest: every file with its size and SHA-256, and what could not be had and why."""
    manifest = {
        "incident": incident.id,
        "collection": collection,
        "collected_at": at.isoformat(),
        "files": {
            name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in sorted(files.items())
        },
        "missing": dict(sorted(missing.items())),
    }
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
