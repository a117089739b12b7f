"""The read-only actions of the catalogue: they change nothing, so they need no approval."""

from blocks.transport.errors import OutsideError
from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from tasks.actions.ending import finish
from tasks.actions.inspections import INSPECTIONS
from tasks.incident import OpenIncident


async def inspect(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Make an inspection and journal what it saw; one that is in the journal is not made again."""
    journal = await incident.read()
    if done := journal.results.get(action.id):
        return done
    try:
        outcome, detail = await INSPECTIONS[action.name](incident.environment)
    except OutsideError as error:
        outcome, detail = ActionOutcome.UNKNOWN, str(error)
    return await finish(incident, action, outcome, detail)
