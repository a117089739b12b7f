"""Somebody's own rollout: it is left to finish before anything is done that would replace or disturb it."""

from datetime import timedelta

from runbook.actions.catalogue import ChangePlan
from tasks.actions.changes.base import Change
from tasks.incident import now


async def rollout_first(change: Change) -> ChangePlan | None:
    """The plan that waits, because a rollout is under way that may be the fix; `None` if there is none.

    It is waited for no longer than the rollout deadline, counted from when it began.

    Raises:
        OutsideError: the target cannot be read.
    """
    cluster = change.environment.cluster
    found = await cluster.workload.rollout_under_way()
    at = cluster.client.server_time() or now()
    deadline = timedelta(seconds=change.policy.rollout_deadline_seconds)
    if found is None or at - found.created_at >= deadline:
        return None
    reason = f"revision {found.revision} is being rolled out, which may be a fix: the runbook decides again"
    return ChangePlan(action=change.action, blocked=reason, outdated=True)
