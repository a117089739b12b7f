"""The end of an action, as it is journalled."""

from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.incidents.events import (
    ActionFinished,
)
from tasks.incident import OpenIncident


async def finish(
    incident: OpenIncident,
    action: PlannedAction,
    outcome: ActionOutcome,
    detail: str,
    approved_by: str = "",
    *,
    waits_for: str = "",
    outdated: bool = False,
) -> ActionResult:
    """Journal the end of an action; the first end stands."""
    result = ActionResult(
        action=action,
        outcome=outcome,
        detail=detail,
        approved_by=approved_by,
        waits_for=waits_for,
        outdated=outdated,
    )
    recorded = await incident.record_once(ActionFinished(result=result))
    return recorded.event.result if isinstance(recorded.event, ActionFinished) else result
