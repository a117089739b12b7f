"""The runbook's `kubectl set env`: RATE_LIMIT_MODE=queue and POSTHOG_FALLBACK=true, on and off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blocks.errors import Refused
from runbook.actions import ChangePlan
from runbook.diff import unified_diff
from runbook.patches import Patch, last_effect, switch_patch, switch_value
from runbook.policy import Policy, Switch
from tasks.effects import Receipt
from tasks.mitigation.base import Change, Step
from tasks.mitigation.deployment import affected, container_of, versions


@dataclass(frozen=True)
class SetSwitch:
    """Set an environment variable of the integration, or remove it."""

    switch: Callable[[Policy], Switch]
    on: bool

    async def preview(self, change: Change) -> ChangePlan:
        """The Deployment with and without the variable."""
        cluster = change.environment.cluster
        before = await cluster.read_deployment()
        container = container_of(change, before)
        if self._present(change, before) == self._wanted(change):
            return ChangePlan(action=change.action, in_place=self._say(change))
        after = await cluster.patch_deployment(self._patch(change, container), dry_run=True)
        return ChangePlan(
            action=change.action,
            diff=unified_diff(before, after, name=change.action.target),
            affects=affected(before),
            resource_versions=versions(before),
        )

    def steps(self, change: Change) -> tuple[Step, ...]:
        """One patch; the variable itself shows whether it has happened."""
        cluster = change.environment.cluster

        async def observe() -> Receipt | None:
            deployment = await cluster.read_deployment()
            if self._present(change, deployment) != self._wanted(change):
                return None
            return {"effect": last_effect(deployment), "resource_version": versions(deployment)["deployment"]}

        async def act() -> Receipt:
            deployment = await cluster.read_deployment()
            patched = await cluster.patch_deployment(self._patch(change, container_of(change, deployment)))
            return {"effect": change.effect_id, "resource_version": versions(patched)["deployment"]}

        return (Step("set-env", change.action.target, self._say(change), observe, act),)

    def _present(self, change: Change, deployment: dict[str, Any]) -> str | None:
        try:
            return switch_value(deployment, container_of(change, deployment), self._variable(change))
        except LookupError as error:
            raise Refused("Kubernetes", str(error), "Change it where the reference points to") from None

    def _variable(self, change: Change) -> str:
        return self.switch(change.environment.runbook_policy.policy).variable

    def _wanted(self, change: Change) -> str | None:
        return self.switch(change.environment.runbook_policy.policy).value if self.on else None

    def _say(self, change: Change) -> str:
        wanted = self._wanted(change)
        return f"{self._variable(change)}={wanted}" if self.on else f"{self._variable(change)} removed"

    def _patch(self, change: Change, container: str) -> Patch:
        return switch_patch(
            container, self._variable(change), self._wanted(change), effect_id=change.effect_id
        )


enable_fallback = SetSwitch(switch=lambda policy: policy.fallback_switch, on=True)
disable_fallback = SetSwitch(switch=lambda policy: policy.fallback_switch, on=False)
enable_queue = SetSwitch(switch=lambda policy: policy.queue_switch, on=True)
disable_queue = SetSwitch(switch=lambda policy: policy.queue_switch, on=False)
