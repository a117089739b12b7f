"""What a Deployment reports about itself: counts, and the Available and Progressing conditions.

Source: k8s.io/kubernetes/pkg/controller/deployment (sync.go, progress.go).
"""

import asyncio
from collections.abc import Callable

from deployments.drill.cluster.controllers.rollout import Fenceposts, available, is_complete
from deployments.drill.cluster.objects import JsonObject, name_of

COMPLETE, EXCEEDED, PAUSED = "NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"

_TEXTS = {
    "NewReplicaSetCreated": 'Created new replica set "{}"',
    "FoundNewReplicaSet": 'Found new replica set "{}"',
    "ReplicaSetUpdated": 'ReplicaSet "{}" is progressing.',
    COMPLETE: 'ReplicaSet "{}" has successfully progressed.',
    EXCEEDED: 'ReplicaSet "{}" has timed out progressing.',
    PAUSED: "Deployment is paused",
    "DeploymentResumed": "Deployment is resumed",
}
_STATUS = {EXCEEDED: "False", PAUSED: "Unknown", "DeploymentResumed": "Unknown"}


class Progress:
    """How far a Deployment's rollout is, and the deadline for its next progress."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.condition: JsonObject = {}
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False
        self._moved = False

    @property
    def reason(self) -> str:
        """The Progressing condition's reason, empty before the first."""
        return str(self.condition.get("reason", ""))

    def note(self, reason: str, replica_set: str, now: str) -> None:
        """Something happened to the rollout; all but its end give it a new deadline."""
        status = _STATUS.get(reason, "True")
        unchanged = self.condition.get("status") == status
        self.condition = {
            "type": "Progressing",
            "status": status,
            "lastUpdateTime": now,
            "lastTransitionTime": self.condition["lastTransitionTime"] if unchanged else now,
            "reason": reason,
            "message": _TEXTS[reason].format(replica_set),
        }
        self._moved = reason not in (COMPLETE, EXCEEDED, PAUSED)
        self._expired = False

    def assess(self, deployment: JsonObject, status: JsonObject, replica_set: str, now: str) -> None:
        """Compare the counts with those reported before, and with the deadline."""
        before = deployment.get("status", {})
        if deployment["spec"].get("paused"):
            if self.reason != PAUSED:
                self.note(PAUSED, replica_set, now)
        elif self.reason == PAUSED:
            self.note("DeploymentResumed", replica_set, now)
        elif self.reason == COMPLETE and status.get("replicas") == status.get("updatedReplicas"):
            return  # pods that fail after the rollout ended are not the rollout's failure
        elif is_complete(deployment, status):
            self.note(COMPLETE, replica_set, now)
        elif _got_further(before, status):
            self.note("ReplicaSetUpdated", replica_set, now)
        elif self._expired:
            self.note(EXCEEDED, replica_set, now)

    def watch(self, seconds: float, wake: Callable[[], None]) -> None:
        """Keep the deadline: `wake` is called when the rollout made no progress for this long."""
        if self.reason in (COMPLETE, EXCEEDED, PAUSED):
            self.cancel()
        elif self._moved:
            self.cancel()
            self._timer = self._loop.call_later(seconds, self._expire, wake)
        self._moved = False

    def _expire(self, wake: Callable[[], None]) -> None:
        self._expired = True
        wake()

    def cancel(self) -> None:
        """Drop the deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _got_further(before: JsonObject, status: JsonObject) -> bool:
    def olds(counts: JsonObject) -> int:
        return int(counts.get("replicas", 0)) - int(counts.get("updatedReplicas", 0))

    rising = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return olds(status) < olds(before) or any(status.get(each, 0) > before.get(each, 0) for each in rising)


def deployment_status(
    deployment: JsonObject, new: JsonObject | None, sets: list[JsonObject], progress: Progress, now: str
) -> JsonObject:
    """The Deployment's status for the ReplicaSets as they are, without counts of zero, as on the wire."""

    def total(field: str) -> int:
        return sum(int(each.get("status", {}).get(field, 0)) for each in sets)

    counts = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": total("replicas"),
        "updatedReplicas": int(new.get("status", {}).get("replicas", 0)) if new else 0,
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
        "unavailableReplicas": max(total("replicas") - total("availableReplicas"), 0),
    }
    progress.assess(deployment, counts, name_of(new) if new else name_of(deployment), now)
    conditions = [_availability(deployment, sets, now)]
    if progress.condition:
        conditions.append(progress.condition)
    failed = [new] if new and new.get("status", {}).get("conditions") else sets
    refused = [each for item in failed for each in item.get("status", {}).get("conditions", [])]
    conditions += [{**each, "lastUpdateTime": each["lastTransitionTime"]} for each in refused[:1]]
    return {**{key: count for key, count in counts.items() if count}, "conditions": conditions}


def _availability(deployment: JsonObject, sets: list[JsonObject], now: str) -> JsonObject:
    minimum = deployment["spec"]["replicas"] - Fenceposts.of(deployment).max_unavailable
    enough = sum(available(each) for each in sets) >= minimum
    status = "True" if enough else "False"
    before = deployment.get("status", {}).get("conditions", [])
    for condition in before:
        if condition["type"] == "Available" and condition["status"] == status:
            return dict(condition)
    return {
        "type": "Available",
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    }
