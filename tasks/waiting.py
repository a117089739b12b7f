"""Wait for a person without a process: the run ends, and starts again when it is time to look."""

from datetime import datetime

from runbook.actions.catalogue import PlannedAction
from runbook.checks.again import next_look_at
from runbook.incidents.events import ResponsePaused
from runbook.incidents.incident import Incident
from tasks.incident import OpenIncident


class WaitingForAPerson(Exception):
    """The runbook cannot go on by itself; it looks again at `next_look_at` (aware UTC)."""

    def __init__(self, next_look_at: datetime) -> None:
        super().__init__(f"waiting for a person; the next look is at {next_look_at:%H:%M:%S} UTC")
        self.next_look_at = next_look_at


async def note_pause(incident: OpenIncident, because: str) -> datetime:
    """Journal, once for a decision, that a person is waited for; returns when to look next (aware UTC)."""
    journal = await incident.read()
    at = next_look_at(journal, policy=incident.policy)
    await incident.record_once(ResponsePaused(because=because, next_look_at=at, round=journal.round))
    return at


def asks_about(journal: Incident, action: PlannedAction) -> bool:
    """Whether a question about the action is open."""
    return journal.pending_gate is not None and journal.pending_gate.action_id == action.id
