"""How far a rollout is, in the order of `kubectl rollout status`, and sooner where its pods cannot start."""

from collections.abc import Iterable, Sequence

from blocks.kubernetes.pods import is_ready, is_terminating, waiting_reason
from blocks.kubernetes.revisions import Object, mark_of
from blocks.kubernetes.update_bounds import bounds_of
from runbook.kubernetes.rollouts import REFUSED_PODS, RolloutStatus
from runbook.kubernetes.waiting_reasons import HOPELESS


def deployment_status(deployment: Object, pods: Sequence[Object], newest: str) -> RolloutStatus:
    """How far a Deployment's newest rollout is; `newest` marks the pods of the newest revision."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    if not _observed(deployment):
        return _NOT_OBSERVED
    counted = _counted(deployment, available=_count(status, "availableReplicas"))
    exceeded = _deadline_exceeded(status)
    if counted.state == "complete" and not exceeded:
        return counted
    refused = _refused(deployment, pods)
    stuck = _hopeless(pod for pod in pods if mark_of(pod) == newest) or refused or exceeded
    if stuck:
        return stuck
    total = _count(status, "replicas")
    if spec.get("paused") and (total > _count(status, "updatedReplicas") or not total):
        return _failed("Paused", "the Deployment is paused: no rollout starts")
    return _no_node(pod for pod in pods if mark_of(pod) == newest) or counted


def stateful_set_status(stateful_set: Object, pods: Sequence[Object]) -> RolloutStatus:
    """How far a StatefulSet's newest rollout is.

    It has no deadline of its own, and in order it updates no pod before all others are ready: a pod of an
    older revision that cannot start holds it up for ever, also after a good template was put back.

    Source: "Forced rollback" in kubernetes.io/docs/concepts/workloads/controllers/statefulset.
    """
    spec, status = stateful_set["spec"], stateful_set.get("status") or {}
    if not _observed(stateful_set):
        return _NOT_OBSERVED
    ready = _count(status, "readyReplicas")
    available = min(ready, status.get("availableReplicas", ready))  # clusters before 1.22 do not count them
    counted = _counted(stateful_set, available=available)
    if counted.state == "complete":
        return counted
    newest = status.get("updateRevision", "")
    stuck = _hopeless(pod for pod in pods if mark_of(pod) == newest)
    first = _first_unready(pods)
    coming = first is not None and (is_terminating(first) or mark_of(first) == newest)
    if not stuck and _in_order(spec) and not coming:
        stuck = _hopeless(pods, "of an older revision: the update waits until the pod is deleted")
    waits = _no_node(pod for pod in pods if mark_of(pod) == newest)
    told = stuck or _withheld(stateful_set) or waits or counted
    held = first is not None and not coming and _holds_up(spec, first)
    return told.model_copy(update={"waits_for": str(first["metadata"]["name"])}) if first and held else told


def finished_before(workload: Object) -> bool:
    """Whether the newest rollout was complete once: what is amiss since then, no rollout will mend."""
    status = workload.get("status") or {}
    if workload.get("kind") == "StatefulSet":
        return bool(status.get("currentRevision") == status.get("updateRevision"))
    return any(
        condition["type"] == "Progressing" and condition.get("reason") == "NewReplicaSetAvailable"
        for condition in status.get("conditions") or ()
    )


def available_pods(workload: Object) -> int:
    """How many pods serve, of whichever revision."""
    status = workload.get("status") or {}
    if workload.get("kind") == "StatefulSet":  # clusters before 1.22 count the ready ones only
        return int(status.get("availableReplicas", _count(status, "readyReplicas")))
    return _count(status, "availableReplicas")


def _first_unready(pods: Iterable[Object]) -> Object | None:
    """The controller goes from the lowest number up, and stops at the first pod that is not ready."""
    return min((pod for pod in pods if not is_ready(pod)), key=_ordinal, default=None)


def _holds_up(spec: Object, pod: Object) -> bool:
    """Whether the update goes on when this pod of an older revision is deleted, and not before.

    Below the partition a new pod would be of the old revision again.
    """
    if _strategy(spec).get("type") == "OnDelete":
        return True
    return _in_order(spec) and _ordinal(pod) >= _partition(spec)


def _ordinal(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _in_order(spec: Object) -> bool:
    return bool(spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady")


def _strategy(spec: Object) -> Object:
    return spec.get("updateStrategy") or {}


def _partition(spec: Object) -> int:
    return int((_strategy(spec).get("rollingUpdate") or {}).get("partition") or 0)


def _withheld(stateful_set: Object) -> RolloutStatus | None:
    """Pods that the update strategy leaves at the old revision."""
    desired = stateful_set["spec"].get("replicas", 1)
    updated = _count(stateful_set.get("status") or {}, "updatedReplicas")
    if _strategy(stateful_set["spec"]).get("type") == "OnDelete" and updated < desired:
        return _failed("OnDelete", f"{desired - updated} pods are updated only when someone deletes them")
    partition = _partition(stateful_set["spec"])
    if partition and desired - partition <= updated < desired:
        return _failed("Partition", f"the partition keeps {desired - updated} pods at the old revision")
    return None


def _counted(workload: Object, *, available: int) -> RolloutStatus:
    """Complete, or what is still to come, by the counts alone."""
    status, desired = workload.get("status") or {}, workload["spec"].get("replicas", 1)
    updated, total = _count(status, "updatedReplicas"), _count(status, "replicas")
    if updated < desired:
        return _progressing("Updating", f"{updated} of {desired} pods updated")
    if total > desired:
        return _progressing("Terminating", f"{total - desired} extra pods are still running")
    if available < desired:
        return _progressing("NotAvailable", f"{available} of {desired} updated pods available")
    if desired == 0:
        return RolloutStatus(state="complete", reason="ScaledToZero", detail="scaled to zero: no pod runs")
    return RolloutStatus(state="complete", detail=f"{available} of {desired} pods available")


def _observed(workload: Object) -> bool:
    observed = _count(workload.get("status") or {}, "observedGeneration")
    return bool(observed >= workload["metadata"].get("generation", 0))


def _deadline_exceeded(status: Object) -> RolloutStatus | None:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return _failed("ProgressDeadlineExceeded", str(condition.get("message", "")))
    return None


def _refused(deployment: Object, pods: Sequence[Object]) -> RolloutStatus | None:
    """That no further pod may be made: by a quota, a LimitRange or a policy, in the API server's words.

    Room in a quota may still come of a pod that ends. So that counts only where none of ours is ending, and
    the update may end no other one before a new one is there.
    """
    for condition in (deployment.get("status") or {}).get("conditions") or ():
        if condition["type"] != "ReplicaFailure" or condition.get("status") != "True":
            continue
        message = str(condition.get("message", ""))
        if not any(words in message for words in _FOR_GOOD):
            return None  # a webhook that does not answer, say: the next try may work
        if QUOTA_EXCEEDED in message and (any(map(is_terminating, pods)) or _may_end_one(deployment)):
            return None
        return _failed(str(condition.get("reason") or REFUSED_PODS), message)
    return None


QUOTA_EXCEEDED = "exceeded quota"
_FOR_GOOD = ("is forbidden", "is invalid", "denied the request", "denied request")
"""How the refusals of a pod read that its controller meets again with each try."""


def _may_end_one(deployment: Object) -> bool:
    """Whether the update may end a pod before a new one is available."""
    available = _count(deployment.get("status") or {}, "availableReplicas")
    desired = int(deployment["spec"].get("replicas", 1))
    return available > desired - bounds_of(deployment).unavailable


def _no_node(pods: Iterable[Object]) -> RolloutStatus | None:
    """Pods for which no node has room now: the scheduler's words. A node may still come."""
    for pod in pods:
        for condition in (pod.get("status") or {}).get("conditions") or ():
            unscheduled = condition["type"] == "PodScheduled" and condition["status"] == "False"
            if unscheduled and not is_terminating(pod):
                detail = f"{pod['metadata']['name']}: {condition.get('message', '')}"
                return _progressing(str(condition.get("reason") or "Unschedulable"), detail)
    return None


def _hopeless(pods: Iterable[Object], consequence: str = "") -> RolloutStatus | None:
    """Pods that will not start: the first one by name, and how many more."""
    reasons = {str(pod["metadata"]["name"]): waiting_reason(pod) for pod in pods if not is_terminating(pod)}
    stuck = {name: reason for name, reason in reasons.items() if reason in HOPELESS}
    if not stuck:
        return None
    first = min(stuck)
    others = f" (and {len(stuck) - 1} more)" if len(stuck) > 1 else ""
    detail = f"{first}{others}: {stuck[first]}"
    return _failed(str(stuck[first]), f"{detail}, {consequence}" if consequence else detail)


def _count(status: Object, name: str) -> int:
    return int(status.get(name) or 0)  # the API leaves out counts of zero


def _progressing(reason: str, detail: str) -> RolloutStatus:
    return RolloutStatus(state="progressing", reason=reason, detail=detail)


def _failed(reason: str, detail: str) -> RolloutStatus:
    return RolloutStatus(state="failed", reason=reason, detail=detail)


_NOT_OBSERVED = _progressing("NotObserved", "the controller has not processed the change yet")
