"""What every change of the Deployment has in common: what it touches, and when it cannot be made."""

from typing import Any

from blocks.errors import Refused
from runbook.actions import ChangePlan
from runbook.patches import first_container, last_effect, restart_patch
from tasks.effects import Receipt
from tasks.mitigation.base import Change, Step


def versions(deployment: dict[str, Any]) -> dict[str, str]:
    """The resourceVersion that a preview was made on."""
    return {"deployment": str(deployment["metadata"].get("resourceVersion", ""))}


def affected(deployment: dict[str, Any]) -> tuple[str, ...]:
    """What people should know before they say yes to a change of the pod template."""
    replicas = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    words = [f"{replicas} pod{'s' if replicas != 1 else ''} restart, in a rolling update"]
    if status.get("updatedReplicas", replicas) != replicas:
        words.append("another rollout is already under way")
    if deployment["spec"].get("paused"):
        words.append("the Deployment is paused: nothing happens before it is resumed")
    if replicas == 0:
        words.append("the Deployment is scaled to zero: there is no pod to restart")
    return tuple(words)


def blocked(change: Change, reason: str) -> ChangePlan:
    """A plan that cannot be carried out, and why."""
    return ChangePlan(action=change.action, blocked=reason)


def container_of(change: Change, deployment: dict[str, Any]) -> str:
    """The container that the integration runs in.

    Raises:
        Refused: the configured container is not in the pod template.
    """
    try:
        return first_container(deployment, change.environment.cluster.container)
    except LookupError as error:
        raise Refused("Kubernetes", str(error), "Correct `container` in [cluster]") from None


def restart_step(change: Change) -> Step:
    """`kubectl rollout restart`; the effect noted on the Deployment shows whether it has happened."""
    cluster = change.environment.cluster
    effect_id = f"{change.effect_id}/restart"

    async def observe() -> Receipt | None:
        deployment = await cluster.read_deployment()
        return {"effect": effect_id} if last_effect(deployment) == effect_id else None

    async def act() -> Receipt:
        patched = await cluster.patch_deployment(restart_patch(change.since, effect_id=effect_id))
        return {"effect": effect_id, "resource_version": versions(patched)["deployment"]}

    return Step("restart", change.action.target, "restart the pods", observe, act)
