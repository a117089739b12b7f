"""Preview a change: dry-run it, so that people decide about what exactly would happen."""

from contextlib import suppress
from dataclasses import replace

from blocks.ahead import Ahead
from blocks.kubernetes.access.patience import may_be_of_the_moment
from blocks.transport.errors import Conflict, Refused
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.drift import drift
from runbook.actions.outages import has_a_yes
from runbook.approvals.asking import asked_last
from runbook.approvals.gates import Choice
from runbook.decision.plan import UNKNOWN_TARGET
from runbook.incidents.events import (
    ActionPreviewed,
    ApprovalRequested,
    PlanDrifted,
)
from runbook.incidents.incident import Incident
from tasks.actions.changes import MITIGATIONS
from tasks.actions.changes.base import Change
from tasks.actions.changes.workload import CONFLICTS
from tasks.actions.outage import TargetAway
from tasks.actions.planned_change import change_of
from tasks.incident import OpenIncident

_AHEAD: Ahead[tuple[Change, ChangePlan]] = Ahead()


async def preview_change(
    incident: OpenIncident, action: PlannedAction, *, doubts_refusals: bool = False
) -> ChangePlan:
    """Dry-run the change, so that people decide about what exactly would happen.

    It is made again each time, so an approval holds only while the dry run still says what was approved; what
    has changed since is journalled. A change that has begun is not previewed again: what was approved is in
    the journal. With `doubts_refusals` the refusal of a right does not block a change that is approved.

    Raises:
        Unavailable: the target cannot be reached, after all retries.
        TargetAway: it refuses for now what it allowed when the change was approved.
    """
    journal = await incident.read()
    if journal.has_begun(action):
        return journal.previews[action.id]
    change = change_of(incident, journal, action)
    try:
        plan = await _seen_ahead(incident, change) or await _dry_run(change)
    except Refused as error:
        doubted = doubts_refusals and may_be_of_the_moment(error)
        if doubted and has_a_yes(journal, action, incident.policy):
            raise TargetAway(error, refused=True) from None
        plan = ChangePlan(action=action, blocked=str(error))
    plan = plan.model_copy(update={"dry_run": journal.dry_run})
    known = journal.previews.get(action.id)
    if known is not None:
        await _note_drift(incident, journal, known, plan)
    if known is None or _differs(known, plan):
        await incident.record(ActionPreviewed(plan=plan, since=change.since))
    return plan


async def preview_ahead(incident: OpenIncident) -> None:
    """Begin the dry run of the change that people were asked about, for a run that comes to it in a moment.

    It changes nothing and is journalled by `preview_change` alone, in a run that is as it was now.

    Raises:
        OutsideError: the journal cannot be read; the run reads it again.
    """
    journal = await incident.read()
    asked = asked_last(journal)
    plan = journal.previews.get(asked.action_id) if asked is not None else None
    if plan is None or journal.has_begun(plan.action):
        return
    change = change_of(incident, journal, plan.action)
    _ = _AHEAD.begin((incident.id, plan.action.id), _with_plan(change))


async def _with_plan(change: Change) -> tuple[Change, ChangePlan]:
    return change, await _dry_run(change)


async def _seen_ahead(incident: OpenIncident, change: Change) -> ChangePlan | None:
    """The dry run that began before the run did, where it was of this very change under the same policy."""
    if (ahead := await _AHEAD.take((incident.id, change.action.id))) is None:
        return None
    seen, plan = ahead
    same = replace(seen, environment=change.environment) == change
    return plan if same else None


async def _dry_run(change: Change) -> ChangePlan:
    """Preview the change; where a status is written between the look and the dry run, look again.

    Raises:
        OutsideError: the target cannot be read or refuses the request.
    """
    target = change.environment.cluster.target
    if change.action.target not in (target, UNKNOWN_TARGET):
        wrong = f"it is planned for {change.action.target}, but the configuration has changed to {target}"
        return ChangePlan(action=change.action, blocked=wrong)
    mitigation = MITIGATIONS[change.action.name]
    for _ in range(CONFLICTS - 1):
        with suppress(Conflict):
            return await mitigation.preview(change)
    return await mitigation.preview(change)


async def _note_drift(incident: OpenIncident, journal: Incident, old: ChangePlan, new: ChangePlan) -> None:
    """Only what people were asked about can go stale for them."""
    asked = any(event.plan_digest == old.digest for event in journal.events(ApprovalRequested))
    because = drift(old, new)
    if asked and because:
        voided = {
            event.answer.approver
            for event in journal.answers
            if event.plan_digest == old.digest and event.answer.choice is Choice.APPROVE
        }
        await incident.record(
            PlanDrifted(
                action_id=old.action.id,
                old_digest=old.digest,
                new_digest=new.digest,
                because=because,
                voided=tuple(sorted(voided)),
            )
        )


def _differs(known: ChangePlan, plan: ChangePlan) -> bool:
    """Whether it is another plan; versions that only a status has changed are no difference."""
    same: dict[str, object] = {"resource_versions": {}, "affects": ()}
    return known.model_copy(update=same) != plan.model_copy(update=same)
