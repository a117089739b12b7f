"""Who leads an incident, who works on it, and what they wrote: read from its journal."""

from datetime import datetime

from runbook.incidents.events import (
    CommsLeadAssigned,
    IncidentAcknowledged,
    LeadAssigned,
    NoteAdded,
    SupportAssigned,
)
from runbook.incidents.incident import Incident
from runbook.incidents.timeline import happened_at, in_order
from runbook.value import Value


def lead_of(incident: Incident) -> str | None:
    """Who leads the incident: the newest assignment counts. `None` where nobody took it."""
    assigned = incident.last(LeadAssigned)
    return assigned.lead if assigned else None


def comms_lead_of(incident: Incident) -> str | None:
    """Who leads the communication with customers: the newest assignment counts."""
    assigned = incident.last(CommsLeadAssigned)
    return assigned.lead if assigned else None


def support_of(incident: Incident) -> str | None:
    """Who follows it for support: the newest assignment counts."""
    assigned = incident.last(SupportAssigned)
    return assigned.lead if assigned else None


def acknowledged_by(incident: Incident) -> tuple[str, ...]:
    """Who has acknowledged the incident, each once, the first one first."""
    return tuple(dict.fromkeys(event.by for event in incident.events(IncidentAcknowledged)))


class Note(Value):
    """What somebody wrote: when it happened, and when it was written (aware UTC)."""

    at: datetime
    written_at: datetime
    by: str
    text: str


def notes_of(incident: Incident) -> tuple[Note, ...]:
    """The notes, in the order in which what they tell happened."""
    return tuple(
        Note(at=happened_at(item), written_at=item.at, by=item.event.by, text=item.event.text)
        for item in in_order(incident.journal)
        if isinstance(item.event, NoteAdded)
    )
