"""Keep evidence within a response: where none can be written, the response goes on."""

from blocks.files.evidence_folder import NotWritten, path_of
from runbook.evidence.manifest import evidence_name
from tasks.evidence.shown import collect_evidence
from tasks.evidence.unwritten import note_unwritten
from tasks.incident import OpenIncident


async def keep_evidence(incident: OpenIncident, collection: str) -> None:
    """Collect evidence within a response, or note that nothing of it can be written: the response goes on.

    Where it goes on from here again, and on the schedule, it is tried again.
    """
    try:
        await collect_evidence(incident, collection)
    except NotWritten as error:
        path = path_of(incident.environment.evidence, f"{incident.id}/{collection}")
        await note_unwritten(incident, evidence_name(collection), path, error)
