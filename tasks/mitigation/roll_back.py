"""`kubectl rollout undo`: the pod template of the revision before."""

from typing import Any

from blocks.errors import Refused
from runbook.actions import ChangePlan
from runbook.diff import unified_diff
from runbook.patches import EFFECT_ANNOTATION, last_effect, previous_template
from tasks.effects import Receipt
from tasks.mitigation.base import Change, Step
from tasks.mitigation.deployment import affected, blocked, versions


class RollBack:
    """Put the previous revision's pod template back."""

    async def preview(self, change: Change) -> ChangePlan:
        """The present pod template against the previous revision's."""
        cluster = change.environment.cluster
        before = await cluster.read_deployment()
        if before["spec"].get("paused"):
            return blocked(change, "the Deployment is paused; resume it first (kubectl rollout resume)")
        previous = previous_template(before, await cluster.list_replica_sets())
        if previous is None:
            return blocked(change, "there is no earlier revision to go back to")
        after = await self._replace(change, before, previous[1], dry_run=True)
        return ChangePlan(
            action=change.action,
            diff=unified_diff(before, after, name=change.action.target),
            affects=(f"back to revision {previous[0]}", *affected(before)),
            resource_versions=versions(before),
        )

    def steps(self, change: Change) -> tuple[Step, ...]:
        """One replacement of the pod template; the effect noted on the Deployment shows that it happened."""
        cluster = change.environment.cluster

        async def observe() -> Receipt | None:
            deployment = await cluster.read_deployment()
            return {"effect": change.effect_id} if last_effect(deployment) == change.effect_id else None

        async def act() -> Receipt:
            deployment = await cluster.read_deployment()
            previous = previous_template(deployment, await cluster.list_replica_sets())
            if previous is None:
                raise Refused("Kubernetes", "the earlier revision is gone", "Deploy a good version")
            replaced = await self._replace(change, deployment, previous[1], dry_run=False)
            return {"effect": change.effect_id, "resource_version": versions(replaced)["deployment"]}

        return (Step("roll-back", change.action.target, "put the previous revision back", observe, act),)

    async def _replace(
        self, change: Change, deployment: dict[str, Any], template: dict[str, Any], *, dry_run: bool
    ) -> dict[str, Any]:
        return await change.environment.cluster.replace_pod_template(
            template,
            resource_version=versions(deployment)["deployment"],
            annotations={EFFECT_ANNOTATION: change.effect_id},
            dry_run=dry_run,
        )
