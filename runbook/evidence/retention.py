"""What is removed of incidents that were closed long ago, and what is kept all the same.

Nothing is removed that somebody may still need: an incident that is open, one that left something to do, and
one that a new incident of its service would be linked to.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from runbook.alerts.intake import FLAPPING_WITHIN, RECURS_WITHIN
from runbook.evidence.manifest import due_collections
from runbook.incidents.events import IncidentClosed, IncidentReopened
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switches_left_on
from runbook.policy.policy import Policy
from runbook.value import Value

EPISODES_COUNT_FOR = 2 * FLAPPING_WITHIN
"""How long it is kept when an alert began again: twice what is counted, as receivers' clocks differ."""

DELIVERIES_COUNT_FOR = timedelta(days=30)
"""How long a message is known as received, at least: PagerDuty's signature covers no time, so only its id
tells a message that is sent again, by PagerDuty or by somebody who has a copy.
"""


class Part(StrEnum):
    """What is removed of an incident: everything, or only its collections of evidence."""

    INCIDENT = "incident"
    EVIDENCE = "evidence"


class Removal(Value):
    """An incident whose time is up. `kept_because` says why nothing is removed yet; empty where it is."""

    incident: str
    service: str
    part: Part
    kept_because: str = ""


def removal(incident: Incident, *, followed_by: str, policy: Policy, now: datetime) -> Removal | None:
    """What is to be removed of the incident now (aware UTC), or was kept past its time; `None` for nothing.

    `followed_by` is the open incident that is linked to it, if there is one.
    """
    part = expired(incident, policy=policy, now=now)
    if part is None:
        return None
    reason = kept_because(incident, followed_by=followed_by, policy=policy)
    return Removal(incident=incident.id, service=incident.service, part=part, kept_because=reason)


def expired(incident: Incident, *, policy: Policy, now: datetime) -> Part | None:
    """What of the incident was kept for long enough; an open incident never was."""
    closed_at = _closed_at(incident)
    if closed_at is None or now - closed_at <= RECURS_WITHIN:
        return None
    keep, age = policy.keep_days, now - closed_at
    if keep.incidents and age > timedelta(days=keep.incidents):
        return Part.INCIDENT
    return Part.EVIDENCE if keep.evidence and age > timedelta(days=keep.evidence) else None


def kept_because(incident: Incident, *, followed_by: str, policy: Policy) -> str:
    """Why a closed incident is kept past its time; empty where nothing speaks for it."""
    if switches := switches_left_on(incident):
        return f"it left on: {', '.join(f'{item.name} ({item.target})' for item in switches)}"
    if incident.resolved_at is not None:
        ever = timedelta(seconds=max(policy.evidence_due_seconds, default=0))
        if due := due_collections(incident, policy=policy, now=incident.resolved_at + ever):
            return f"its evidence is not complete: {', '.join(due)}"
    return f"{followed_by} is open, which followed it" if followed_by else ""


def _closed_at(incident: Incident) -> datetime | None:
    """When the incident was closed last; `None` while it is open, also again."""
    times = [item.at for item in incident.since(IncidentReopened) if isinstance(item.event, IncidentClosed)]
    return max(times, default=None)


def deliveries_count_since(policy: Policy, now: datetime) -> datetime:
    """Messages that were received before then need not be known any more."""
    return now - max(DELIVERIES_COUNT_FOR, timedelta(days=policy.keep_days.incidents))
