"""Outlast: an approved action waits for a cluster that is away, and people are told once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from blocks.kubernetes.access.patience import doubt
from blocks.transport.errors import OutsideError, Unavailable
from runbook.actions.catalogue import PlannedAction
from runbook.actions.outages import (
    Outage,
    Wait,
    expired_approval,
    expired_words,
    has_a_yes,
    open_outage,
    wait_in,
    waiting_words,
)
from runbook.channels.messages import notice_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import OutageEnded, OutageNoted
from runbook.incidents.incident import Incident
from tasks.channels.deliver import say
from tasks.channels.links import incident_link
from tasks.channels.shown import escalate, update
from tasks.incident import OpenIncident, now

_Answer = TypeVar("_Answer")

WAIT = Authority.policy("approval_outage_seconds")

LONGEST_PAUSE = timedelta(minutes=1)
"""Between two looks at a cluster that is away, whatever it asks for."""


class TargetAway(Unavailable):
    """The cluster did not answer, or refused for now what it had allowed; `refused` tells which."""

    def __init__(self, error: OutsideError, *, refused: bool = False) -> None:
        super().__init__(error.system, error.detail, error.next_step)
        self.args = (error,)
        self.refused = refused
        if isinstance(error, Unavailable):
            self.retry_after_seconds = error.retry_after_seconds


@dataclass
class Heard:
    """That the target did not answer, which the outcome of an effect does not say."""

    away: Unavailable | None = None

    def by(self, ask: Callable[[], Awaitable[_Answer]]) -> Callable[[], Awaitable[_Answer]]:
        """The same, listened to."""

        async def listened_to() -> _Answer:
            try:
                return await ask()
            except Unavailable as error:
                self.away = error
                raise

        return listened_to


class NoLongerNeeded(Exception):
    """All alerts are resolved, and the action that waits has not begun."""


@dataclass
class Patience:
    """How one process waits for the cluster on behalf of an action. `refused_since` is aware UTC."""

    refused_since: datetime | None = None

    def doubts_refusals(self, incident: OpenIncident) -> bool:
        """Whether a refusal may still be one of the moment: the right was there when people were asked."""
        if self.refused_since is None:
            return True
        return now() - self.refused_since < doubt(incident.environment.cluster.timeout_seconds)

    async def outlast(self, incident: OpenIncident, action: PlannedAction, error: Unavailable) -> bool:
        """Wait a little for the cluster; false where nothing is approved, or the time for it is over.

        The channel is told once for each outage. After the time a person is paged and the approval expires;
        what has not begun goes on waiting, and is asked about again.

        Raises:
            NoLongerNeeded: all alerts are resolved, and the action has not begun.
        """
        refused = isinstance(error, TargetAway) and error.refused
        self.refused_since = (self.refused_since or now()) if refused else None
        outage = await _noted(incident, action, error)
        if outage is None:
            return False
        journal = await incident.read()
        if journal.alerts_over and any(item.id == action.id for item in journal.untaken):
            raise NoLongerNeeded(action.id)
        await _tell(incident, journal, action, outage)
        wait = wait_in(outage, journal, action, policy=incident.policy, now=now())
        if wait is Wait.IS_OVER:
            return False
        if wait is Wait.EXPIRES:
            await _expire(incident, journal, action, outage)
        await update(incident)
        pause = timedelta(seconds=max(incident.policy.watch_poll_seconds, error.retry_after_seconds or 0))
        await asyncio.sleep(min(pause, LONGEST_PAUSE).total_seconds())
        return True


async def _noted(incident: OpenIncident, action: PlannedAction, error: Unavailable) -> Outage | None:
    """The outage in the journal; `None` where the action is not approved, so that nothing waits for it."""
    journal = await incident.read()
    outage = open_outage(journal, action)
    if outage is None and has_a_yes(journal, action, incident.policy):
        await incident.record(OutageNoted(action_id=action.id, because=str(error)))
        return open_outage(await incident.read(), action)
    return outage


async def _expire(incident: OpenIncident, journal: Incident, action: PlannedAction, outage: Outage) -> None:
    """The approval has not outlived the outage: journal that, and page a person once."""
    if not outage.expired:
        await incident.record(expired_approval(journal, action))
    what = Escalation(kind=EscalationKind.APPROVAL_EXPIRED, subject=f"{action.id} {outage.number}")
    await escalate(incident, what, expired_words(action, outage, incident.policy))


async def note_answer(incident: OpenIncident, action: PlannedAction) -> None:
    """The cluster has answered: an outage that the action has waited for is over."""
    if open_outage(await incident.read(), action) is not None:
        await incident.record(OutageEnded(action_id=action.id))


async def _tell(incident: OpenIncident, journal: Incident, action: PlannedAction, outage: Outage) -> None:
    name = MessageName.outage(action.id, outage.number)
    words = f"⏳ {waiting_words(journal, action, outage, incident.policy)}"
    message = notice_message(words, link=incident_link(journal))
    await say(incident, journal, message, name=name, authority=WAIT, loud=True, attempts=1)
