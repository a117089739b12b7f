"""How far a rollout is, in the order of `kubectl rollout status`, and sooner where its pods cannot start."""

from collections.abc import Iterable
from typing import Literal

from blocks.kubernetes_objects import (
    TEMPLATE_HASH,
    Object,
    is_terminating,
    owned_replica_sets,
    waiting_reason,
)
from runbook.value import Value

_HOPELESS = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
"""Reasons that no waiting cures. ErrImagePull is none of them: the next pull may work."""


class RolloutStatus(Value):
    """`complete`, `progressing` or `failed`; `reason` is Kubernetes' word where it has one."""

    state: Literal["complete", "progressing", "failed"]
    reason: str = ""
    detail: str = ""


def rollout_status(
    deployment: Object, *, pods: Iterable[Object], replica_sets: Iterable[Object]
) -> RolloutStatus:
    """How far the newest rollout is."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    desired = spec.get("replicas", 1)
    updated = status.get("updatedReplicas") or 0
    total = status.get("replicas") or 0
    available = status.get("availableReplicas") or 0
    if (status.get("observedGeneration") or 0) < deployment["metadata"].get("generation", 0):
        return _progressing("NotObserved", "the change has not been noticed yet")
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return RolloutStatus(
                state="failed", reason="ProgressDeadlineExceeded", detail=str(condition.get("message", ""))
            )
    if updated >= desired and total == updated and available >= updated:
        return RolloutStatus(state="complete", detail=f"{available} of {desired} pods available")
    hopeless = _hopeless(deployment, pods, replica_sets)
    if hopeless:
        return hopeless
    if spec.get("paused"):
        return RolloutStatus(
            state="failed", reason="Paused", detail="the deployment is paused: nothing is rolled out"
        )
    if updated < desired:
        return _progressing("Updating", f"{updated} of {desired} pods updated")
    if total > updated:
        return _progressing("Terminating", f"{total - updated} old pods are still there")
    return _progressing("NotAvailable", f"{available} of {updated} updated pods available")


def _progressing(reason: str, detail: str) -> RolloutStatus:
    return RolloutStatus(state="progressing", reason=reason, detail=detail)


def _hopeless(
    deployment: Object, pods: Iterable[Object], replica_sets: Iterable[Object]
) -> RolloutStatus | None:
    """A pod of the newest revision that will not start."""
    owned = owned_replica_sets(deployment, replica_sets)
    if not owned:
        return None
    newest = (owned[-1]["metadata"].get("labels") or {}).get(TEMPLATE_HASH)
    for pod in pods:
        of_newest = (pod["metadata"].get("labels") or {}).get(TEMPLATE_HASH) == newest
        reason = waiting_reason(pod)
        if of_newest and not is_terminating(pod) and reason in _HOPELESS:
            return RolloutStatus(
                state="failed", reason=str(reason), detail=f"{pod['metadata']['name']}: {reason}"
            )
    return None
