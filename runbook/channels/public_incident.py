"""The public incident of an incident: what a status page was told that its present entry shows."""

from runbook.incidents.events import IncidentReopened, StatusAnnounced
from runbook.incidents.incident import Incident
from runbook.incidents.state import State


def public_announcements(incident: Incident, channel: str) -> tuple[StatusAnnounced, ...]:
    """What that page was told in its present entry, oldest first.

    An entry that was resolved before the incident was reopened is over for whoever reads the page: what
    comes after it is another entry. One that was left open, as after a merger, goes on.
    """
    told: list[StatusAnnounced] = []
    over = False
    for item in incident.journal:
        event = item.event
        if isinstance(event, IncidentReopened) and over:
            told, over = [], False
        elif isinstance(event, StatusAnnounced) and event.channel == channel:
            told.append(event)
            over = event.state == State.RESOLVED
    return tuple(told)
