"""Mitigate: make a change after the yes.

It is safe to repeat: the effects are journalled one by one, and an action that has ended is never taken
again.
"""

from collections.abc import Iterable

from blocks.store.database.errors import StoreUnavailable
from blocks.store.lease import Lease
from blocks.transport.errors import Conflict, Unavailable
from runbook.actions.catalogue import ActionOutcome, ActionResult, ChangePlan, PlannedAction
from runbook.actions.limits import WINDOW, tripped
from runbook.actions.specs.undo import UNDO
from runbook.approvals.approvals import answers_to, decided
from runbook.approvals.gates import Choice
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import CHANGE, SUCCEEDED, Authority, Effect, EffectOutcome
from runbook.incidents.events import (
    ApprovalAnswered,
    ApprovalLapsed,
)
from tasks.actions.changes import steps_of
from tasks.actions.changes.binding import TARGET
from tasks.actions.changes.undo import judge_undo
from tasks.actions.ending import finish
from tasks.actions.outage import Heard, TargetAway
from tasks.actions.planned_change import change_of
from tasks.actions.prove import prove
from tasks.effects import SINCE, carry_out, read_outcome
from tasks.ended import Ended
from tasks.incident import OpenIncident, now
from tasks.lease import leased

LAPSED = "its approval is no longer valid, so the rest is not applied"


async def make_change(
    incident: OpenIncident, plan: ChangePlan, given: ApprovalAnswered
) -> ActionResult | None:
    """Carry out an approved plan and prove it.

    `None` where the target has changed, or the approval is no longer valid by the people and rules of this
    moment: then nothing was done. What was applied before it lapsed, or before a person has ended the
    incident, is still proved; no more is applied.
    A rejected plan ends the action without any request.

    Raises:
        Ended: a person has ended the incident, and nothing was applied before.
        TargetAway: a request was not answered. What it may have done is read back the next time.
        Unavailable: the incident store is away, so it is not known how far the change came. It is safe to
            repeat: the journal and the target show what was made.
    """
    action, answer = plan.action, given.answer
    if answer.choice is not Choice.APPROVE:
        return await finish(incident, action, ActionOutcome.REJECTED, answer.reason, answer.approver)
    waits_for = ""
    journal = await incident.read()
    if plan.dry_run or journal.dry_run or incident.policy_in_force(journal).dry_run_only:
        words = "everything was done but the change itself"
        return await finish(incident, action, ActionOutcome.DRY_RUN, words, answer.approver)
    try:
        async with leased(incident, plan.bound.get(TARGET, action.target)) as lease:
            incident = await incident.with_current_policy()
            over = (await incident.read()).outcome  # the target may have been waited for meanwhile
            approval = None if over else await _approval_of_now(incident, plan, given)
            if approval is None:
                ended = await _read_back(incident, plan)
            else:
                ended = await _carry_out(incident, plan, approval, lease)
            if over and ended is None:
                raise Ended(over)
            if ended is None:
                return None
            outcome, detail = ended
            if outcome is ActionOutcome.DONE:
                outcome, detail, waits_for = await prove(incident, plan, lease)
                if action.name == UNDO.name and not waits_for:
                    undoing = change_of(incident, await incident.read(), action)
                    outcome, detail = await judge_undo(undoing, steps_of(undoing, plan), outcome, detail)
    except (StoreUnavailable, TargetAway):
        raise
    except Unavailable as error:
        if (await incident.read()).has_begun(action):  # it may be in the cluster: no failure to be told
            raise
        outcome, detail = ActionOutcome.FAILED, str(error)
    return await finish(incident, action, outcome, detail, answer.approver, waits_for=waits_for)


async def _approval_of_now(
    incident: OpenIncident, plan: ChangePlan, given: ApprovalAnswered
) -> ApprovalAnswered | None:
    """The approval by the people and rules of this moment; `None`, which is journalled, where none counts."""
    journal = await incident.read()
    approvals = [event for event in answers_to(journal, plan) if event.answer.choice is Choice.APPROVE]
    if not approvals:  # nobody has ever approved this: not what lapses, but what is never carried out
        return given
    found = decided(journal, plan, incident.policy)
    if found is not None and found.answer.choice is Choice.APPROVE:
        return found
    by = tuple(sorted({event.answer.approver for event in approvals}))
    await incident.record(ApprovalLapsed(action_id=plan.action.id, plan_digest=plan.digest, by=by))
    return None


async def _carry_out(
    incident: OpenIncident, plan: ChangePlan, approval: ApprovalAnswered, lease: Lease
) -> tuple[ActionOutcome, str] | None:
    """Make the requests of a plan. `None` where the target has changed before the first of them.

    Raises:
        TargetAway: a request was not answered.
    """
    change = change_of(incident, await incident.read(), plan.action)
    made: dict[str, EffectOutcome] = {}
    for step in steps_of(change, plan):
        effect = Effect(
            id=EffectId.of_step(change.effect_id, step.name),
            kind=CHANGE,
            target=step.target,
            summary=step.summary,
            authority=Authority.approval(approval.gate, approval.answer.approver),
        )
        heard = Heard()
        observe, act = heard.by(step.observe), heard.by(step.act)
        try:
            effect = await carry_out(
                incident,
                effect,
                observe=observe,
                act=act,
                traces=heard.by(step.traces),
                fence=lease.check,
            )
        except Conflict as error:
            return (ActionOutcome.FAILED, _in_part(made, str(error))) if made else None
        if effect.outcome not in SUCCEEDED:
            if heard.away is not None:
                raise TargetAway(heard.away)
            in_doubt = effect.outcome is EffectOutcome.UNSETTLED
            outcome = ActionOutcome.UNKNOWN if in_doubt else ActionOutcome.FAILED
            return outcome, _in_part(made, effect.detail)
        made[step.summary] = effect.outcome
        if SINCE in effect.receipt:  # somebody else has changed it, so the rest would have no effect
            break
    if set(made.values()) == {EffectOutcome.ALREADY_IN_PLACE}:  # not ours to prove, nor to undo
        return ActionOutcome.ALREADY_IN_PLACE, "somebody else has made it in the meantime"
    return ActionOutcome.DONE, ""


async def _read_back(incident: OpenIncident, plan: ChangePlan) -> tuple[ActionOutcome, str] | None:
    """How far a change came whose approval has lapsed since; `None` where nothing of it was made.

    Raises:
        TargetAway: the target cannot be read.
    """
    journal = await incident.read()
    change, made = change_of(incident, journal, plan.action), list[str]()
    for step in steps_of(change, plan):
        effect = journal.effects.get(f"{change.effect_id}/{step.name}")
        if effect is not None and effect.outcome not in (*SUCCEEDED, EffectOutcome.FAILED):
            heard = Heard()
            observe, traces = heard.by(step.observe), heard.by(step.traces)
            effect = await read_outcome(incident, effect, observe=observe, traces=traces)
            if heard.away is not None:
                raise TargetAway(heard.away)
        if effect is None or effect.outcome not in SUCCEEDED:
            return (ActionOutcome.FAILED, _in_part(made, LAPSED)) if made else None
        made.append(step.summary)
    return ActionOutcome.DONE, ""


def _in_part(made: Iterable[str], why: str) -> str:
    return f"only a part was applied ({'; '.join(made)}), then: {why}" if made else why


async def stopped_by_limits(incident: OpenIncident, action: PlannedAction) -> str | None:
    """Why the circuit breaker lets no further change through; undoing is never stopped."""
    journal = await incident.read()
    if action.name == UNDO.name or journal.has_begun(action):
        return None
    recent = await incident.environment.store.effects_since(now() - WINDOW)
    return tripped(journal, recent, policy=incident.policy)
