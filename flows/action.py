"""One action of the plan: shown, approved, made, proved; or a person is told why not."""

from blocks.errors import Unavailable
from flows.gate import approval
from runbook.actions import ActionKind, ActionOutcome, ActionResult, PlannedAction
from tasks.artifacts import publish_plan
from tasks.communicate import escalate, hand_over
from tasks.incident import OpenIncident
from tasks.inspect import inspect
from tasks.mitigate import finish, make_change, preview_change

NEEDS_A_PERSON = (
    ActionOutcome.BLOCKED,
    ActionOutcome.FAILED,
    ActionOutcome.NOT_RECOVERED,
    ActionOutcome.UNKNOWN,
)
"""Ends of a change after which the runbook cannot help any further by itself."""


async def take_action(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Take an action once; one that has ended is not taken again, but a person is still told if need be."""
    ended = (await incident.read()).results.get(action.id)
    result = ended or await _take(incident, action)
    if action.spec.kind is ActionKind.CHANGE and result.outcome in NEEDS_A_PERSON:
        outcome = result.outcome.replace("_", " ")
        await escalate(incident, f"{action.spec.title}: {outcome}. {result.detail}")
    return result


async def _take(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    match action.spec.kind:
        case ActionKind.INSPECTION:
            return await inspect(incident, action)
        case ActionKind.HAND_OFF:
            return await hand_off(incident, action)
        case ActionKind.CHANGE:
            return await change(incident, action)


async def change(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Preview, gate, make, prove."""
    try:
        plan = await preview_change(incident, action)
    except Unavailable as error:
        why = f"it cannot be previewed: {error}"
        return await finish(incident, action, ActionOutcome.BLOCKED, why)
    if plan.in_place:
        return await finish(incident, action, ActionOutcome.ALREADY_IN_PLACE, plan.in_place)
    if plan.blocked:
        return await finish(incident, action, ActionOutcome.BLOCKED, plan.blocked)
    await publish_plan(incident, plan)
    decided = await approval(incident, plan)
    return await make_change(incident, plan, decided)


async def hand_off(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Send what only a person can do to where people read it."""
    delivered = await hand_over(incident, action.id, action.because)
    detail = "sent to the incident channel" if delivered else "in the journal and the post-mortem draft only"
    return await finish(incident, action, ActionOutcome.HANDED_OFF, f"{action.because} ({detail})")
