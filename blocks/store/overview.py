"""What all open incidents wait for, read from the keys of their journals: no event is parsed for it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from blocks.store.database.tables import EVENTS, INCIDENTS
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import aware
from runbook.channels.untold import UNTOLD_KEYS
from runbook.incidents.events import (
    AlertsResolved,
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalRequested,
    ApprovalWithdrawn,
    IncidentReopened,
    IncidentResolved,
    RunStarted,
)

_CLOSES_GATE = (ApprovalAnswered, ApprovalRefused, ApprovalWithdrawn)


@dataclass(frozen=True)
class OpenGate:
    """A question that nobody has answered. `alerts_ended`: no alert fired at some time since the opening."""

    incident: str
    gate: str
    asked_at: datetime
    alerts_ended: bool


@dataclass(frozen=True)
class Overview:
    """Open incidents that no run works on (id and time of opening or reopening), and the open gates.

    `open` is how many are open. `untold` are those (oldest first) in which an escalation has reached nobody
    at some time.
    """

    unstarted: dict[str, datetime]
    gates: tuple[OpenGate, ...]
    open: int
    untold: tuple[str, ...]


async def overview(store: IncidentStore) -> Overview:
    """What the open incidents wait for now.

    Raises:
        Unavailable: the database cannot be reached.
    """
    return await store.in_transaction(_overview, reads_only=True)


async def incident_of_run(store: IncidentStore, flow_run_id: str) -> str | None:
    """The id of the incident that a flow run works on, or has worked on.

    Raises:
        Unavailable: the database cannot be reached.
    """
    query = select(EVENTS.c.incident_id).where(EVENTS.c.key == RunStarted.key_of(flow_run_id)).limit(1)
    return await store.in_transaction(
        lambda connection: connection.execute(query).scalar_one_or_none(), reads_only=True
    )


def _overview(connection: Connection) -> Overview:
    is_open = INCIDENTS.c.closed_at.is_(None)
    closed = (kind.KEYS for kind in _CLOSES_GATE)
    ends = (IncidentResolved.KEY, IncidentReopened.KEYS)
    prefixes = (ApprovalRequested.KEYS, *closed, RunStarted.KEYS, AlertsResolved.KEYS, UNTOLD_KEYS, *ends)
    noted = (
        select(EVENTS.c.incident_id, EVENTS.c.key, EVENTS.c.at)
        .join(INCIDENTS, INCIDENTS.c.id == EVENTS.c.incident_id)
        .where(is_open, or_(*map(EVENTS.c.key.startswith, prefixes)))
        .order_by(EVENTS.c.seq)
    )
    opened = select(INCIDENTS.c.id, INCIDENTS.c.opened_at).where(is_open).order_by(INCIDENTS.c.opened_at)
    incidents = {row.id: aware(row.opened_at) for row in connection.execute(opened)}
    notes: dict[str, dict[str, datetime]] = {}
    for row in connection.execute(noted):
        if row.key.startswith(IncidentReopened.KEYS):  # what was before is over
            notes[row.incident_id] = {}
            incidents[row.incident_id] = aware(row.at)
        notes.setdefault(row.incident_id, {})[row.key] = aware(row.at)
    unstarted = {
        incident: at
        for incident, at in incidents.items()
        if not any(key.startswith(RunStarted.KEYS) for key in notes.get(incident, ()))
    }
    found = (_gate(incident, keys) for incident, keys in notes.items() if not _has_ended(keys))
    silent = (
        incident
        for incident in incidents
        if any(key.startswith(UNTOLD_KEYS) for key in notes.get(incident, ()))
    )
    return Overview(
        unstarted=unstarted,
        gates=tuple(gate for gate in found if gate is not None),
        open=len(incidents),
        untold=tuple(silent),
    )


def _has_ended(keys: dict[str, datetime]) -> bool:
    return any(key.startswith(IncidentResolved.KEY) for key in keys)


def _gate(incident: str, keys: dict[str, datetime]) -> OpenGate | None:
    """The newest question, unless it has been answered or withdrawn."""
    newest = next((key for key in reversed(keys) if key.startswith(ApprovalRequested.KEYS)), None)
    if newest is None:
        return None
    gate = newest.removeprefix(ApprovalRequested.KEYS)
    if any(kind.key_of(gate) in keys for kind in _CLOSES_GATE):
        return None
    over = any(key.startswith(AlertsResolved.KEYS) for key in keys)
    return OpenGate(incident=incident, gate=gate, asked_at=keys[newest], alerts_ended=over)
