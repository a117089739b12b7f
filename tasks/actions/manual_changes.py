"""See what people change by hand while the runbook only watches, and say so in the timeline."""

from blocks.transport.errors import OutsideError
from runbook.incidents.events import ManualChangeSeen
from runbook.kubernetes.ownership import SPEC, written_since
from tasks.incident import OpenIncident


async def note_manual_changes(incident: OpenIncident) -> bool:
    """Journal who has changed the workload since the incident began; whether something new was seen.

    Only while nothing was done about what was found: otherwise the runbook's own change is what counts, and
    what others do to that is told by `note_reverts`. What cannot be read is read again next time.

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
    found = written_since(workload, SPEC, journal.begun_at)
    for writing in found:
        await incident.record_once(ManualChangeSeen(target=cluster.target, writing=writing))
    return bool(found)
