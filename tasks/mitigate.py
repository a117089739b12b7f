"""Mitigate: preview a change, make it after the yes, and prove that it worked.

Each step is safe to repeat: a preview changes nothing, the effects are journalled one by one, and an action
that has ended is never taken again.
"""

import asyncio
from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.errors import OutsideError, Refused, Unavailable
from runbook.actions import ActionOutcome, ActionResult, ChangePlan, PlannedAction
from runbook.effects import Authority, Effect, EffectOutcome
from runbook.events import ActionFinished, ActionPreviewed, ApprovalAnswered
from runbook.gates import Choice
from runbook.incident import Incident
from runbook.recovery import PROOF, Recovery, action_succeeded
from tasks.effects import SETTLED, carry_out
from tasks.incident import OpenIncident, now
from tasks.mitigation import MITIGATIONS
from tasks.mitigation.base import Change
from tasks.retries import is_transient
from tasks.triage import look


@task(
    name="preview change",
    task_run_name="preview {action.name}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 3],
    retry_condition_fn=is_transient,
)
async def preview_change(incident: OpenIncident, action: PlannedAction) -> ChangePlan:
    """Dry-run the change, so that people decide about what exactly would happen.

    It is made anew each time, so an approval holds only while the dry run still says what was approved. A
    change that has begun is not previewed again: what was approved is in the journal.

    Raises:
        Unavailable: the target cannot be reached, after all retries.
    """
    journal = await incident.read()
    if _has_begun(journal, action):
        return journal.previews[action.id]
    change = _change(incident, journal, action)
    try:
        plan = await MITIGATIONS[action.name].preview(change)
    except Refused as error:
        plan = ChangePlan(action=action, blocked=str(error))
    if journal.previews.get(action.id) != plan:
        await incident.record(ActionPreviewed(plan=plan, since=change.since))
    return plan


@task(name="make change", task_run_name="make change {plan.action.name}", cache_policy=NO_CACHE)
async def make_change(incident: OpenIncident, plan: ChangePlan, decided: ApprovalAnswered) -> ActionResult:
    """Carry out an approved plan and prove it: rollout finished, then the success check holds.

    A rejected plan ends the action without any request.
    """
    action, answer = plan.action, decided.answer
    if answer.choice is not Choice.APPROVE:
        return await finish(incident, action, ActionOutcome.REJECTED, answer.reason, answer.approver)
    authority = Authority.approval(decided.gate, answer.approver)
    change = _change(incident, await incident.read(), action)
    for step in MITIGATIONS[action.name].steps(change):
        effect = Effect(
            id=f"{change.effect_id}/{step.name}",
            kind="kubernetes",
            target=step.target,
            summary=step.summary,
            authority=authority,
        )
        settled = await carry_out(incident, effect, observe=step.observe, act=step.act)
        if settled.outcome not in SETTLED:
            unsettled = settled.outcome is EffectOutcome.UNSETTLED
            outcome = ActionOutcome.UNKNOWN if unsettled else ActionOutcome.FAILED
            return await finish(incident, action, outcome, settled.detail, answer.approver)
    outcome, detail = await _prove(incident, action)
    return await finish(incident, action, outcome, detail, answer.approver)


async def finish(
    incident: OpenIncident, action: PlannedAction, outcome: ActionOutcome, detail: str, approved_by: str = ""
) -> ActionResult:
    """Journal the end of an action; the first end stands."""
    result = ActionResult(action=action, outcome=outcome, detail=detail, approved_by=approved_by)
    recorded = await incident.record(ActionFinished(result=result), key=f"finished:{action.id}")
    return recorded.event.result if isinstance(recorded.event, ActionFinished) else result


def _has_begun(journal: Incident, action: PlannedAction) -> bool:
    prefix = f"{journal.id}/{action.id}/"
    return any(effect_id.startswith(prefix) for effect_id in journal.effects)


def _change(incident: OpenIncident, journal: Incident, action: PlannedAction) -> Change:
    return Change(
        action=action,
        environment=incident.environment,
        effect_id=f"{incident.id}/{action.id}",
        since=_first_seen(journal, action) or now(),
    )


def _first_seen(journal: Incident, action: PlannedAction) -> datetime | None:
    previews = (event for event in journal.events(ActionPreviewed) if event.plan.action.id == action.id)
    return next((event.since for event in previews), None)


async def _prove(incident: OpenIncident, action: PlannedAction) -> tuple[ActionOutcome, str]:
    """Wait for the rollout, then for the success check, each within its deadline."""
    failure = await _wait_for_rollout(incident)
    if failure is not None:
        return failure
    deadline = now() + timedelta(seconds=incident.policy.success_deadline_seconds)
    while True:
        recovery = await _check_success(incident, action)
        if recovery.recovered:
            return ActionOutcome.RECOVERED, "; ".join(recovery.because)
        if now() >= deadline:
            outcome = ActionOutcome.UNKNOWN if recovery.recovered is None else ActionOutcome.NOT_RECOVERED
            return outcome, "; ".join(recovery.because)
        await asyncio.sleep(incident.policy.watch_poll_seconds)


async def _check_success(incident: OpenIncident, action: PlannedAction) -> Recovery:
    findings = await look(incident.environment, PROOF[action.name])
    return action_succeeded(action.name, findings, policy=incident.policy)


async def _wait_for_rollout(incident: OpenIncident) -> tuple[ActionOutcome, str] | None:
    """`None` once the rollout is complete, else how it ended. A passing outage of the API is waited out."""
    deadline = now() + timedelta(seconds=incident.policy.rollout_deadline_seconds)
    said, known = "no answer yet", False
    while now() < deadline:
        try:
            status = await incident.environment.cluster.rollout_status()
        except Unavailable as error:
            said, known = str(error), False
        except OutsideError as error:
            return ActionOutcome.UNKNOWN, str(error)
        else:
            if status.state == "complete":
                return None
            said, known = f"{status.reason} {status.detail}".strip(), True
            if status.state == "failed":
                return ActionOutcome.NOT_RECOVERED, f"the rollout failed: {said}"
        await asyncio.sleep(min(1.0, incident.policy.watch_poll_seconds))
    outcome = ActionOutcome.NOT_RECOVERED if known else ActionOutcome.UNKNOWN
    return outcome, f"the rollout did not finish in time: {said}"
