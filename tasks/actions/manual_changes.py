"""See what people change by hand while the runbook only watches, and say so in the timeline."""

from datetime import datetime

from blocks.transport.errors import OutsideError
from runbook.actions.catalogue import ActionOutcome
from runbook.incidents.events import ActionFinished, IncidentReopened, ManualChangeSeen
from runbook.incidents.incident import Incident
from runbook.kubernetes.ownership import SPEC, written_since
from tasks.incident import OpenIncident


async def note_manual_changes(incident: OpenIncident) -> bool:
    """Journal who has changed the workload since the incident began; whether something new was seen.

    Only while nothing was done about what was found: otherwise the runbook's own change is what counts, and
    what others do to that is told by `note_reverts`. Whoever has put a change of the runbook back has done
    nothing about the incident. What cannot be read is read again next time.

    Raises:
        Unavailable: the incident store cannot be reached.
    """
    journal = await incident.read()
    if journal.something_done:
        return False
    cluster = incident.environment.cluster
    try:
        workload = await cluster.workload.read()
    except OutsideError:
        return False
    found = written_since(workload, SPEC, _since(journal))
    for writing in found:
        await incident.record_once(ManualChangeSeen(target=cluster.target, writing=writing))
    return bool(found)


def _since(journal: Incident) -> datetime:
    """The beginning, or the last time that somebody was seen to have put a change of the runbook back."""
    reverted = [
        item.at
        for item in journal.since(IncidentReopened)
        if isinstance(item.event, ActionFinished) and item.event.result.outcome is ActionOutcome.REVERTED
    ]
    return max([journal.begun_at, *reverted])
