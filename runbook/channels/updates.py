"""Updates out of turn: a person asks where things stand, or a channel has not taken what it was last told."""

from collections.abc import Collection
from datetime import datetime

from runbook.approvals.authority import act_counts
from runbook.channels.cards.standing import may_try
from runbook.channels.reminders import is_time
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import StateForced, StatusAnnounced, UpdateRequested
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value


class DueUpdate(Value):
    """An update that was asked for at `at` (aware UTC), or a state that a person has said then.

    `channels` were not told since.
    """

    request: UpdateRequested | StateForced
    at: datetime
    channels: tuple[str, ...]


def asked_update(incident: Incident, *, channels: Collection[str], policy: Policy) -> DueUpdate | None:
    """The update that somebody who may has asked for, until each of these channels was told since.

    The journal's order counts, whatever the clocks say of those who wrote it.
    """
    in_force = policy_in_force(incident, policy)
    asked: tuple[UpdateRequested | StateForced, datetime] | None = None
    told: set[str] = set()
    for item in incident.journal:
        match item.event:
            case UpdateRequested() | StateForced() as event if act_counts(incident, event, in_force):
                asked, told = (event, item.at), set()
            case StatusAnnounced() as event:
                told.add(event.channel)
    if asked is None or not in_force.announce or incident.resolved:
        return None
    request, at = asked
    left = tuple(channel for channel in channels if channel not in told)
    return DueUpdate(request=request, at=at, channels=left) if left else None


def due_update(
    incident: Incident, *, channels: Collection[str], policy: Policy, now: datetime
) -> DueUpdate | None:
    """The update to be told now: one that did not get through waits for a pause that grows."""
    asked = asked_update(incident, channels=channels, policy=policy)
    return asked if asked is not None and is_time(incident, asked.at, now) else None


def missed_announcements(
    incident: Incident, *, channels: Collection[str], policy: Policy, now: datetime
) -> tuple[str, ...]:
    """Those of these channels whose newest announcement failed for certain, after a pause that grows.

    They are told where things stand now, not what they have missed. What is in doubt is not among it.
    """
    told_well = incident.outcome is None or incident.outcome.good
    if not (told_well and policy_in_force(incident, policy).announce):
        return ()
    missed = []
    for channel in channels:
        sent = [it for it in incident.messages_in(channel) if it.message.announced_state in _STATES]
        if sent and sent[-1].outcome is EffectOutcome.FAILED and may_try(incident, sent[-1].id, now):
            missed.append(channel)
    return tuple(missed)


_STATES = frozenset(state.value for state in State)
