"""The runbook's `kubectl rollout restart deployment/posthog-integration`."""

from runbook.actions import ChangePlan
from runbook.diff import unified_diff
from runbook.patches import restart_patch
from tasks.mitigation.base import Change, Step
from tasks.mitigation.deployment import affected, blocked, restart_step, versions


class RestartDeployment:
    """Restart all pods in a rolling update."""

    async def preview(self, change: Change) -> ChangePlan:
        """The annotation that makes the Deployment's controller replace its pods."""
        cluster = change.environment.cluster
        before = await cluster.read_deployment()
        if before["spec"].get("paused"):
            return blocked(change, "the Deployment is paused; resume it first (kubectl rollout resume)")
        if before["spec"].get("replicas", 1) == 0:
            return blocked(change, "the Deployment is scaled to zero: a restart starts no pod")
        effect_id = f"{change.effect_id}/restart"
        after = await cluster.patch_deployment(restart_patch(change.since, effect_id=effect_id), dry_run=True)
        return ChangePlan(
            action=change.action,
            diff=unified_diff(before, after, name=change.action.target),
            affects=affected(before),
            resource_versions=versions(before),
        )

    def steps(self, change: Change) -> tuple[Step, ...]:
        """One patch."""
        return (restart_step(change),)
