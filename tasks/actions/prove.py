"""Prove that a change worked: its rollout finishes, and its success holds for a while. Or say it did not.

Four outcomes: recovered, not recovered, reverted by somebody else, and unknown. No data
is unknown.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from blocks.kubernetes.access.patience import doubt, may_be_of_the_moment
from blocks.store.lease import Lease
from blocks.transport.errors import OutsideError, Unavailable
from runbook.actions import spec
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.actions.proving import Proof, proof_deadline, proved_outcome
from runbook.actions.rollout_watch import RolloutWatch
from runbook.actions.specs.undo import UNDO
from runbook.checks.recovery import Recovery, action_succeeded
from runbook.kubernetes.held_rollout import proved_as
from runbook.kubernetes.reversals import ADVICE
from tasks.actions.changes.undo import PUT_BACK
from tasks.actions.standing import reversal
from tasks.checks.triage import make_checks
from tasks.incident import OpenIncident, now

ROLLED_OUT = "its rollout is complete"
"""The end of a change that has no other proof."""


async def prove(incident: OpenIncident, plan: ChangePlan, lease: Lease) -> Proof:
    """Wait for the rollout, then for the success to hold, each within its deadline.

    An undo is proved by its rollout: that the field is what it was has been read back already. One that does
    not finish is no failure yet, see `tasks.actions.changes.undo.judge_undo`. A deletion that lets the
    rollout of another change go on is proved as that change. What was set is read again all the while: where
    somebody has changed it, whatever becomes of the errors is not this change's doing.

    Raises:
        LeaseLost: another worker has taken over; it proves the change itself.
    """
    failure = await _wait_for_rollout(incident, plan, lease)
    if failure is not None:
        return failure
    proof = proved_as(await incident.read(), plan.action).proof
    if proof is None:
        return Proof(ActionOutcome.DONE, PUT_BACK if plan.action.name == UNDO.name else ROLLED_OUT)
    return await _wait_for_success(incident, plan, proof, lease)


async def _wait_for_success(
    incident: OpenIncident, plan: ChangePlan, proof: spec.Proof, lease: Lease
) -> Proof:
    """The success has to hold for its window without a break."""
    policy = incident.policy
    deadline = proof_deadline(now(), policy)
    held_since: datetime | None = None
    while True:
        await lease.check()
        recovery = await _check_success(incident, proof)
        stands = await _stands(incident, plan)
        if stands.reverted:
            return Proof(ActionOutcome.REVERTED, f"{stands.reverted}. {ADVICE}")
        if stands.unread and recovery.recovered:  # it may be over; not known to be by this change
            recovery = Recovery(recovered=None, because=(stands.unread,))
        held_since = (held_since or now()) if recovery.recovered else None
        outcome = proved_outcome(recovery, held_since=held_since, deadline=deadline, policy=policy, now=now())
        if outcome is not None:
            return Proof(outcome, "; ".join(recovery.because))
        await asyncio.sleep(policy.watch_poll_seconds)


@dataclass(frozen=True)
class _Stands:
    """Whether a change still stands: who has reverted it, or why that could not be read."""

    reverted: str = ""
    unread: str = ""


async def _stands(incident: OpenIncident, plan: ChangePlan) -> _Stands:
    try:
        found = await reversal(incident.environment.cluster, plan)
    except OutsideError as error:
        return _Stands(unread=f"whether the change is still in place could not be read: {error}")
    return _Stands(reverted=str(found) if found else "")


async def _check_success(incident: OpenIncident, proof: spec.Proof) -> Recovery:
    findings = await make_checks(incident.environment, proof.names)
    return action_succeeded(proof, findings, policy=incident.policy)


async def _wait_for_rollout(incident: OpenIncident, plan: ChangePlan, lease: Lease) -> Proof | None:
    """`None` once the rollout is complete, else how it ended."""
    cluster, policy = incident.environment.cluster, incident.policy
    watch = RolloutWatch(
        deadline=now() + timedelta(seconds=policy.rollout_deadline_seconds),
        doubt=doubt(cluster.timeout_seconds),
    )
    while now() < watch.deadline:
        await lease.check()
        if reverted := (await _stands(incident, plan)).reverted:
            return Proof(ActionOutcome.REVERTED, f"{reverted}. {ADVICE}")
        ended = None
        try:
            status = await cluster.workload.rollout_status()
        except Unavailable as error:
            watch.unanswered(str(error))
        except OutsideError as error:
            ended = watch.refused(str(error), may_pass=may_be_of_the_moment(error), at=now())
        else:
            if status.state == "complete":
                return None
            ended = watch.saw(status)
        if ended is not None:
            return ended
        await asyncio.sleep(min(1.0, policy.watch_poll_seconds))
    return watch.out_of_time()
