"""When the success of a change is proved, and when waiting for it ends."""

from datetime import datetime, timedelta
from typing import NamedTuple

from runbook.actions.catalogue import ActionOutcome
from runbook.checks.recovery import Recovery
from runbook.policy.policy import Policy


class Proof(NamedTuple):
    """How a change ended. `waits_for` is the pod that must be deleted before its rollout goes on."""

    outcome: ActionOutcome
    detail: str
    waits_for: str = ""


def proof_deadline(began_at: datetime, policy: Policy) -> datetime:
    """Until when a success may begin and still hold for its window (aware UTC)."""
    return began_at + timedelta(seconds=policy.success_deadline_seconds + policy.hold_seconds)


def proved_outcome(
    recovery: Recovery, *, held_since: datetime | None, deadline: datetime, policy: Policy, now: datetime
) -> ActionOutcome | None:
    """How the change ended, `None` while it is too early to say.

    `held_since` is since when the success holds without a break, `None` where it does not hold now. Times are
    aware UTC. What is not known by the deadline is unknown.
    """
    if held_since is not None and now - held_since >= timedelta(seconds=policy.hold_seconds):
        return ActionOutcome.RECOVERED
    if now < deadline:
        return None
    return ActionOutcome.UNKNOWN if recovery.recovered is None else ActionOutcome.NOT_RECOVERED
