"""Prove that a change worked: its rollout finishes, and its success holds for a while. Or say it did not.

Three ends: recovered, not recovered, and unknown where nobody could tell. No data is unknown.
"""

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple

from blocks.errors import OutsideError, Unavailable
from blocks.lease import Lease
from runbook.actions import ActionName, ActionOutcome, ChangePlan
from runbook.held_rollout import proved_as
from runbook.recovery import PROOF, Recovery, action_succeeded
from tasks.incident import OpenIncident, now
from tasks.triage import look


class Proof(NamedTuple):
    """How a change ended. `waits_for` is the pod that must be deleted before its rollout goes on."""

    outcome: ActionOutcome
    detail: str
    waits_for: str = ""


async def prove(incident: OpenIncident, plan: ChangePlan, lease: Lease) -> Proof:
    """Wait for the rollout, then for the success to hold, each within its deadline.

    An undo is proved by its rollout: that the field is what it was has been read back already. A deletion
    that lets the rollout of another change go on is proved as that change.

    Raises:
        LeaseLost: another worker has taken over; it proves the change itself.
    """
    failure = await _wait_for_rollout(incident, lease)
    if failure is not None:
        return failure
    name = proved_as(await incident.read(), plan.action)
    if name is ActionName.UNDO:
        return Proof(ActionOutcome.DONE, "everything that the change had set is what it was before")
    return await _wait_for_success(incident, name, lease)


async def _wait_for_success(incident: OpenIncident, name: ActionName, lease: Lease) -> Proof:
    """The success has to hold for its window without a break."""
    policy = incident.policy
    hold = timedelta(seconds=policy.hold_seconds)
    deadline = now() + timedelta(seconds=policy.success_deadline_seconds) + hold
    held_since: datetime | None = None
    while True:
        await lease.check()
        recovery = await _check_success(incident, name)
        held_since = (held_since or now()) if recovery.recovered else None
        because = "; ".join(recovery.because)
        if held_since is not None and now() - held_since >= hold:
            return Proof(ActionOutcome.RECOVERED, because)
        if now() >= deadline:
            unknown = recovery.recovered is None
            return Proof(ActionOutcome.UNKNOWN if unknown else ActionOutcome.NOT_RECOVERED, because)
        await asyncio.sleep(policy.watch_poll_seconds)


async def _check_success(incident: OpenIncident, name: ActionName) -> Recovery:
    findings = await look(incident.environment, PROOF[name])
    return action_succeeded(name, findings, policy=incident.policy)


async def _wait_for_rollout(incident: OpenIncident, lease: Lease) -> Proof | None:
    """`None` once the rollout is complete, else how it ended. A passing outage of the API is waited out.

    One that waits for a broken pod of an older revision is no failure of the change, which stays.
    """
    deadline = now() + timedelta(seconds=incident.policy.rollout_deadline_seconds)
    said, known, waits_for = "no answer yet", False, ""
    while now() < deadline:
        await lease.check()
        try:
            status = await incident.environment.cluster.rollout_status()
        except Unavailable as error:
            said, known, waits_for = str(error), False, ""
        except OutsideError as error:
            return Proof(ActionOutcome.UNKNOWN, str(error))
        else:
            if status.state == "complete":
                return None
            said, known, waits_for = f"{status.reason} {status.detail}".strip(), True, status.waits_for
            if status.state == "failed" and not waits_for:
                return Proof(ActionOutcome.NOT_RECOVERED, f"the rollout failed: {said}")
            if status.state == "failed":
                break
        await asyncio.sleep(min(1.0, incident.policy.watch_poll_seconds))
    if waits_for:
        held = f"it is in place, and its rollout waits until pod {waits_for} is deleted: {said}"
        return Proof(ActionOutcome.DONE, held, waits_for)
    outcome = ActionOutcome.NOT_RECOVERED if known else ActionOutcome.UNKNOWN
    return Proof(outcome, f"the rollout did not finish in time: {said}")
