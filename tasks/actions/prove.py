"""Prove that a change worked: its rollout finishes, and its success holds for a while. Or say it did not.

Four outcomes: recovered, not recovered, reverted by somebody else, and unknown. No data
is unknown.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from blocks.kubernetes.access.patience import doubt, may_be_of_the_moment
from blocks.store.lease import Lease
from blocks.transport.errors import OutsideError, Unavailable
from runbook.actions import spec
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.actions.proving import proof_deadline, proved_outcome
from runbook.actions.specs.undo import UNDO
from runbook.checks.recovery import Recovery, action_succeeded
from runbook.kubernetes.held_rollout import proved_as
from runbook.kubernetes.reversals import ADVICE
from tasks.actions.changes.undo import PUT_BACK
from tasks.actions.standing import reversal
from tasks.checks.triage import look
from tasks.incident import OpenIncident, now

REFUSED_PODS = "FailedCreate"
"""The reason of a rollout whose pods are refused. It is looked at twice: a pod that has just ended may have
made room, and the controller has not tried again yet."""

ROLLED_OUT = "its rollout is complete"
"""The end of a change that has no other proof."""


class Proof(NamedTuple):
    """How a change ended. `waits_for` is the pod that must be deleted before its rollout goes on."""

    outcome: ActionOutcome
    detail: str
    waits_for: str = ""


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
    findings = await look(incident.environment, proof.names)
    return action_succeeded(proof, findings, policy=incident.policy)


async def _wait_for_rollout(incident: OpenIncident, plan: ChangePlan, lease: Lease) -> Proof | None:
    """`None` once the rollout is complete, else how it ended. A passing outage of the API is waited out.

    One that waits for a broken pod of an older revision is no failure of the change, which stays.
    """
    deadline = now() + timedelta(seconds=incident.policy.rollout_deadline_seconds)
    said, known, waits_for = "no answer yet", False, ""
    believed_from: datetime | None = None
    refused = False
    while now() < deadline:
        await lease.check()
        if reverted := (await _stands(incident, plan)).reverted:
            return Proof(ActionOutcome.REVERTED, f"{reverted}. {ADVICE}")
        try:
            status = await incident.environment.cluster.rollout_status()
        except Unavailable as error:
            said, known, waits_for, believed_from = str(error), False, "", None
        except OutsideError as error:
            said, known, waits_for = str(error), False, ""
            believed_from = believed_from or now() + doubt(incident.environment.cluster.timeout_seconds)
            if not may_be_of_the_moment(error) or now() >= believed_from:
                return Proof(ActionOutcome.UNKNOWN, said)
        else:
            believed_from = None
            if status.state == "complete":
                return None
            said, known, waits_for = f"{status.reason} {status.detail}".strip(), True, status.waits_for
            refused_again, refused = refused, status.reason == REFUSED_PODS
            if status.state == "failed" and not waits_for and (refused_again or not refused):
                return Proof(ActionOutcome.NOT_RECOVERED, f"the rollout failed: {said}")
            if status.state == "failed" and waits_for:
                break
        await asyncio.sleep(min(1.0, incident.policy.watch_poll_seconds))
    if waits_for:
        held = f"it is in place, and its rollout waits until pod {waits_for} is deleted: {said}"
        return Proof(ActionOutcome.DONE, held, waits_for)
    outcome = ActionOutcome.NOT_RECOVERED if known else ActionOutcome.UNKNOWN
    return Proof(outcome, f"the rollout did not finish in time: {said}")
