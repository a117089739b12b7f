"""The public incident of an incident: what a status page was told that its present entry shows."""

from collections.abc import Callable

from runbook.incidents.effects import SUCCEEDED
from runbook.incidents.events import EffectSettled, Event, IncidentReopened, StatusAnnounced
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.outside_text import OutsideFields

_STATES = frozenset(str(state) for state in State)


def _unread(_receipt: OutsideFields) -> str:
    return ""


def public_announcements(
    incident: Incident, channel: str, reference: Callable[[OutsideFields], str] = _unread
) -> tuple[StatusAnnounced, ...]:
    """What that page was told in its present entry, oldest first.

    An entry that was resolved before the incident was reopened is over for whoever reads the page: what
    comes after it is another entry. One that was left open, as after a merger, goes on. A message that has
    arrived counts as told even where its run died before it journalled the announcement; `reference` reads
    the id of the entry from its receipt.
    """
    told: list[StatusAnnounced] = []
    over = False
    for item in incident.journal:
        if isinstance(item.event, IncidentReopened) and over:
            told, over = [], False
        elif (heard := _heard(item.event, channel, reference)) is not None:
            if not told or told[-1].state != heard.state:
                told.append(heard)
            over = heard.state == State.RESOLVED
    return tuple(told)


def _heard(event: Event, channel: str, reference: Callable[[OutsideFields], str]) -> StatusAnnounced | None:
    """What the page was told with this event: the announcement, or its message, whichever is read first."""
    if isinstance(event, StatusAnnounced):
        return event if event.channel == channel else None
    if not isinstance(event, EffectSettled) or event.effect.kind != channel:
        return None
    effect = event.effect
    if effect.outcome not in SUCCEEDED or effect.message.announced_state not in _STATES:
        return None
    state = State(effect.message.announced_state)
    return StatusAnnounced(
        channel=channel, state=state, reference=reference(effect.receipt), next_update_at=None
    )
