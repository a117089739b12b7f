"""The runbook's `kubectl rollout restart deployment/posthog-integration`."""

from runbook.actions.catalogue import ChangePlan
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from tasks.actions.changes.base import Change, Mitigations, Step
from tasks.actions.changes.rollout_under_way import rollout_first
from tasks.actions.changes.workload import (
    PAUSED,
    blocked,
    restart_patch,
    restart_step,
    version_of,
    workload_plan,
)


class RestartDeployment:
    """Restart all pods in a rolling update."""

    async def preview(self, change: Change) -> ChangePlan:
        """The annotation that makes the workload's controller replace its pods."""
        cluster = change.environment.cluster
        before = await cluster.workload.read()
        if before["spec"].get("paused"):
            return blocked(change, PAUSED)
        if before["spec"].get("replicas", 1) == 0:
            return blocked(change, "the workload is scaled to zero: a restart starts no pod")
        if waits := await rollout_first(change):
            return waits
        patch = restart_patch(change, version=version_of(before))
        after = await cluster.changes.patch_workload(patch, dry_run=True)
        return await workload_plan(change, before, after)

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """One patch."""
        return (restart_step(change, plan),)


MITIGATIONS: Mitigations = {RESTART_DEPLOYMENT: RestartDeployment()}
