"""Wait without a process: the run ends, and starts again when it is time to look."""

from datetime import datetime, timedelta

from runbook.actions.catalogue import PlannedAction
from runbook.approvals.rejections import asks_again_at
from runbook.checks.again import next_look_at, told_next_look
from runbook.checks.watching import gives_up
from runbook.incidents.events import ResponsePaused
from runbook.incidents.incident import Incident
from tasks.incident import OpenIncident, now


class Waiting(Exception):
    """The runbook waits, and holds no process; it looks again at `until` (aware UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"waiting until {until:%H:%M:%S} UTC")
        self.until = until


async def note_pause(incident: OpenIncident, because: str) -> datetime:
    """Journal, once for a decision, that a person is waited for; returns when to look next (aware UTC)."""
    journal = await incident.read()
    at = next_look_at(journal, policy=incident.policy)
    await incident.record_once(ResponsePaused(because=because, next_look_at=at, round=journal.round))
    return _before_promises(journal, at)


async def with_next_look(incident: OpenIncident, because: str) -> str:
    """Why a person is paged, and when the runbook looks again by itself."""
    return f"{because}; {told_next_look(await incident.read(), policy=incident.policy, now=now())}"


async def pause_watch(incident: OpenIncident) -> datetime:
    """When to look next for a recovery (aware UTC), while nobody is paged yet."""
    return _before_promises(
        await incident.read(), now() + timedelta(seconds=incident.policy.look_again_seconds)
    )


def _before_promises(journal: Incident, at: datetime) -> datetime:
    """The next look, or before it the next update that was promised, or a question that comes back."""
    promised = {told.channel: told.next_update_at for told in journal.announcements}
    times = (*promised.values(), asks_again_at(journal))
    return min([at, *(due for due in times if due is not None and due > now())])


def asks_about(journal: Incident, action: PlannedAction) -> bool:
    """Whether a question about the action is open."""
    return journal.pending_gate is not None and journal.pending_gate.action_id == action.id


async def is_given_up(incident: OpenIncident) -> bool:
    """Whether the recovery was waited for until the limit, so that a person is needed."""
    return gives_up(await incident.read(), policy=incident.policy, now=now())
