"""Leave a draft of the post-mortem at the end of a response: where it cannot be written, that is noted."""

from blocks.files.evidence_folder import NotWritten, path_of
from runbook.incidents.events import IncidentReopened, PostmortemDrafted
from tasks.evidence.unwritten import note_unwritten
from tasks.incident import OpenIncident
from tasks.postmortem import DRAFT
from tasks.shown import draft_postmortem


async def leave_draft(incident: OpenIncident) -> str:
    """Write the draft at the end of a response, or note that it cannot be; then the path is empty.

    An incident that was reopened gets another draft. Prefect has it in either case, and the flow
    `draft-postmortem` writes it once it can be written.
    """
    try:
        journal = await incident.read()
        drafted = any(isinstance(item.event, PostmortemDrafted) for item in journal.since(IncidentReopened))
        return await draft_postmortem(incident, again=journal.reopened > 0 and not drafted)
    except NotWritten as error:
        path = path_of(incident.environment.evidence, f"{incident.id}/{DRAFT}")
        await note_unwritten(incident, "post-mortem", path, error)
        return ""
