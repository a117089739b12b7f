"""One action of the plan: shown, approved, made, proved; undone if it did not help; or a person is told."""

import asyncio

from blocks.store.database.errors import StoreUnavailable
from blocks.transport.errors import Unavailable
from flows.gate import approval, rejection
from runbook.actions.catalogue import ActionOutcome, ActionResult, ChangePlan, PlannedAction, undo_of
from runbook.actions.drift import voided_plans
from runbook.actions.outages import end_of_wait, has_a_yes
from runbook.actions.spec import ActionKind
from runbook.approvals.approvals import begun_with
from runbook.approvals.asking import was_asked
from runbook.approvals.gates import Answer, Choice
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.kubernetes.held_rollout import deletion_for
from tasks.actions.by_hand import commands_to_delete, commands_to_undo
from tasks.actions.ending import finish
from tasks.actions.mitigate import stopped_by_limits
from tasks.actions.outage import Patience, TargetAway, note_answer
from tasks.actions.shown import inspect, make_change, preview_change
from tasks.artifacts import publish_plan
from tasks.channels.shown import escalate, hand_over, show_messages
from tasks.ended import Ended, require_open
from tasks.incident import OpenIncident
from tasks.shown import withdraw_outdated_question

NEEDS_A_PERSON = (
    ActionOutcome.BLOCKED,
    ActionOutcome.FAILED,
    ActionOutcome.NOT_RECOVERED,
    ActionOutcome.UNKNOWN,
    ActionOutcome.REVERTED,
)
"""Ends of a change after which the runbook cannot help any further by itself."""

NOT_MADE = (ActionOutcome.BLOCKED, ActionOutcome.FAILED)
"""Ends of a deletion after which the pod is still there."""

ROUNDS = 5
"""How often the runbook decides again in an incident before a person is paged."""

POLICY_SECONDS = 2.0
"""How old a policy may be that a change is previewed with; whether it may be made is decided by a new one."""

NEW_PLANS = 5
"""How often a target may change under an approval before the action is given up: in all runs together."""


async def take_action(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Take an action once; one that has ended is not taken again, but a person is still told if need be.

    Of one that is outdated nobody is told: the runbook decides again.

    Raises:
        Ended: a person has ended the incident, so that nothing else is begun; what did not help stays, and
            they are told how to undo it.
        NoLongerNeeded: see `change`.
    """
    ended = (await incident.read()).results.get(action.id)
    result = ended or await _take(incident, action)
    if action.spec.kind is not ActionKind.CHANGE or result.outdated:
        return result
    undone, commands = "", tuple[str, ...]()
    stopped: Ended | None = None
    try:
        if result.waits_for:
            result, undone, commands = await let_go_on(incident, result)
        elif result.outcome is ActionOutcome.NOT_RECOVERED and action.spec.reversible:
            undone, commands = await undo(incident, action)
    except Ended as ended:
        stopped, undone = ended, f". It stays as it is: {ended}"
        commands = await commands_to_undo(incident, action) if action.spec.reversible else ()
    if result.outcome in NEEDS_A_PERSON:
        outcome = result.outcome.replace("_", " ")
        title = result.action.spec.title
        because = f"{title}: {outcome}. {result.detail}{undone}"
        what = Escalation(kind=EscalationKind.ACTION, subject=action.id)
        await escalate(incident, what, because, commands, about=action.id)
    if stopped is not None:
        raise stopped
    return result


async def let_go_on(incident: OpenIncident, held: ActionResult) -> tuple[ActionResult, str, tuple[str, ...]]:
    """Ask to delete the pods that a change's rollout waits for, one after the other.

    The change stays, however that ends: what it replaced is what the broken pods are made of. Returns how
    the last deletion ended, what became of the change, and the commands where a pod was not deleted.
    """
    result, number = held, 0
    while result.waits_for:
        number += 1
        deletion = deletion_for(held, result.waits_for, number)
        result = (await incident.read()).results.get(deletion.id) or await change(incident, deletion)
    stays = f". {held.action.spec.title}: {held.detail}"
    if result.outcome not in NOT_MADE:
        return result, stays, ()
    return result, stays, commands_to_delete(incident, result.action.parameters["pod"])


async def undo(incident: OpenIncident, action: PlannedAction) -> tuple[str, tuple[str, ...]]:
    """Take a change back that did not help; says how it went, and the commands where it did not go well."""
    undoing = undo_of(action)
    result = (await incident.read()).results.get(undoing.id) or await change(incident, undoing)
    if result.waits_for:
        deleted, _, commands = await let_go_on(incident, result)
        outcome = deleted.outcome.replace("_", " ")
        return (
            f". Undone: {result.detail}; {deleted.action.spec.title}: {outcome}: {deleted.detail}",
            commands,
        )
    kept = (await incident.read()).previews.get(undoing.id)
    if kept is not None and kept.kept:  # whether to go on from there or back is for a person
        return f". Not undone: {result.detail}", await commands_to_undo(incident, action)
    if result.outcome is ActionOutcome.ALREADY_IN_PLACE:
        return f". Nothing to undo, somebody else has already undone it: {result.detail}", ()
    if result.outcome is ActionOutcome.DONE:
        return f". Undone: {result.detail}", ()
    if result.outcome is ActionOutcome.NOT_RECOVERED:  # undone anyway: there is no command to show
        return f". Undone, but not healthy: {result.detail}", ()
    words = f". NOT UNDONE ({result.outcome.replace('_', ' ')}: {result.detail})"
    return words, await commands_to_undo(incident, action)


async def _take(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    match action.spec.kind:
        case ActionKind.INSPECTION:
            return await inspect(incident, action)
        case ActionKind.HAND_OFF:
            return await hand_off(incident, action)
        case ActionKind.CHANGE:
            return await change(incident, action)


async def change(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Preview, gate, make, prove. If the target or the rules change in between, it asks again.

    Raises:
        Ended: a person has ended the incident.
        NoLongerNeeded: all alerts are resolved, and the change has only waited for the cluster.
    """
    patience, tries = Patience(), 0
    while tries < NEW_PLANS:
        incident = await incident.with_current_policy(within=POLICY_SECONDS)
        action = require_open(await incident.read(), action).as_edited(action)
        if said := await rejection(incident, action):
            return await end_rejected(incident, action, said.answer)
        if stopped := await stopped_by_limits(incident, action):
            return await finish(incident, action, ActionOutcome.BLOCKED, f"people only: {stopped}")
        try:
            plan = await preview_change(incident, action, doubts_refusals=patience.doubts_refusals(incident))
        except StoreUnavailable:  # no answer of the target: the run is continued
            raise
        except Unavailable as error:
            if await patience.outlast(incident, action, error):
                continue
            why = f"it cannot be previewed: {error}"
            return await finish(incident, action, ActionOutcome.BLOCKED, why)
        journal = await incident.read()
        if not has_a_yes(journal, action, incident.policy):  # else it is not known to be over
            await note_answer(incident, action)
        if plan.in_place:
            await withdraw_outdated_question(incident, action, plan.in_place)
            return await finish(incident, action, ActionOutcome.ALREADY_IN_PLACE, plan.in_place)
        if plan.blocked:
            outdated = plan.outdated and journal.round < ROUNDS
            await withdraw_outdated_question(incident, action, plan.blocked)
            return await finish(incident, action, ActionOutcome.BLOCKED, plan.blocked, outdated=outdated)
        if len(voided := voided_plans(journal, action)) >= NEW_PLANS:
            why = f"the target keeps changing; last: {'; '.join(voided[-1].because)}"
            return await finish(incident, action, ActionOutcome.FAILED, why)
        await show_plan(incident, journal, plan)
        decided = begun_with(journal, plan) or await approval_of_open(incident, journal, plan)
        tries += 1
        if decided.answer.choice is Choice.EDIT:
            continue
        try:
            result = await make_and_show(incident, plan, decided)
        except TargetAway as error:
            if await patience.outlast(incident, action, error):
                tries -= 1
                continue
            ended = end_of_wait(await incident.read(), action, str(error))
            return await finish(incident, action, *ended, decided.answer.approver)
        await note_answer(incident, action)
        if result is not None:
            return result
    return await finish(incident, action, ActionOutcome.FAILED, "the target keeps changing")


async def show_plan(incident: OpenIncident, journal: Incident, plan: ChangePlan) -> None:
    """Publish a plan in Prefect, unless people were asked about it before, and so have it there."""
    if not was_asked(journal, plan):
        await publish_plan(incident, plan)


async def make(incident: OpenIncident, plan: ChangePlan, decided: ApprovalAnswered) -> ActionResult | None:
    """Make and prove the change, see `tasks.actions.mitigate.make_change`.

    Raises:
        Ended: a person has ended the incident, and nothing was applied before.
        TargetAway: a request was not answered.
    """
    result = await make_change(incident, plan, decided)
    if isinstance(result, Ended):
        raise result
    return result


async def make_and_show(
    incident: OpenIncident, plan: ChangePlan, decided: ApprovalAnswered
) -> ActionResult | None:
    """Make the change, see `make`; the question's message shows meanwhile who has approved it.

    A channel that is slow or away holds up no change, and what goes wrong with a message takes nothing from
    what became of the change: the reminders show it later.
    """
    showing = asyncio.ensure_future(show_messages(incident))
    try:
        return await make(incident, plan, decided)
    finally:
        await asyncio.wait({showing})


async def end_rejected(incident: OpenIncident, action: PlannedAction, answer: Answer) -> ActionResult:
    """End an action that a person has rejected."""
    await show_messages(incident)
    return await finish(incident, action, ActionOutcome.REJECTED, answer.reason, answer.approver)


async def approval_of_open(incident: OpenIncident, journal: Incident, plan: ChangePlan) -> ApprovalAnswered:
    """The deciding answer to a plan, see `approval`; nobody is asked once the incident has ended.

    Raises:
        Ended: a person has ended it.
        prefect.exceptions.Pause: see `approval`.
    """
    require_open(journal)
    return await approval(incident, plan)


async def hand_off(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Send what only a person can do to where people read it."""
    delivered = await hand_over(incident, action.id, action.because)
    detail = "sent to the incident channel" if delivered else "in the journal and the post-mortem draft only"
    return await finish(incident, action, ActionOutcome.HANDED_OFF, f"{action.because} ({detail})")
