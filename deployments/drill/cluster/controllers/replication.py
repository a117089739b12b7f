"""The ReplicaSet controller, and the collector that removes what a deleted owner leaves behind.

Source: k8s.io/kubernetes/pkg/controller/replicaset and pkg/controller/garbagecollector.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from deployments.drill.cluster.events import Recorder
from deployments.drill.cluster.kinds import CONTROLLER_REVISION, KINDS, POD, REPLICA_SET, Kind
from deployments.drill.cluster.objects import (
    JsonObject,
    controller_of,
    copied,
    is_terminating,
    name_of,
    namespace_of,
    uid_of,
)
from deployments.drill.cluster.server.errors import ApiError
from deployments.drill.cluster.writes.registry import Registry


def owner_reference(owner: JsonObject) -> JsonObject:
    """The reference that makes an object belong to its controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned(registry: Registry, kind: Kind, owner: JsonObject) -> list[JsonObject]:
    """The objects of a kind that the owner controls."""
    return [
        obj
        for obj in registry.store.objects(kind, namespace_of(owner))
        if controller_of(obj) == uid_of(owner)
    ]


def is_ready(pod: JsonObject) -> bool:
    """Whether the pod's Ready condition holds."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def active(pods: Iterable[JsonObject]) -> list[JsonObject]:
    """The pods that count as replicas: those not being deleted and not finished."""
    return [
        pod
        for pod in pods
        if not is_terminating(pod) and pod.get("status", {}).get("phase") not in ("Failed", "Succeeded")
    ]


@dataclass
class ReplicaSetController:
    """Keeps as many pods as each ReplicaSet asks for."""

    registry: Registry

    def __post_init__(self) -> None:
        self._events = Recorder(self.registry, "replicaset-controller")
        self._refused: dict[str, ApiError] = {}

    def reconcile(self) -> None:
        """Create and delete pods, and report what there is."""
        for replica_set in self.registry.store.objects(REPLICA_SET):
            pods = active(owned(self.registry, POD, replica_set))
            missing = replica_set["spec"]["replicas"] - len(pods)
            if missing <= 0:
                self._refused.pop(uid_of(replica_set), None)
            for _ in range(missing):
                if not self._create_pod(replica_set):
                    break
            for pod in _first_to_go(pods)[: max(-missing, 0)]:
                self.registry.delete(POD, pod, {})
                self._events.record(replica_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
            self._report(replica_set)

    def _create_pod(self, replica_set: JsonObject) -> bool:
        template = copied(replica_set["spec"]["template"])
        metadata = template.get("metadata", {})
        metadata.pop("creationTimestamp", None)
        metadata["generateName"] = f"{name_of(replica_set)}-"
        metadata["ownerReferences"] = [owner_reference(replica_set)]
        try:
            pod = self.registry.create(
                POD, namespace_of(replica_set), {"metadata": metadata, "spec": template["spec"]}
            )
        except ApiError as error:
            if uid_of(replica_set) not in self._refused:  # each try would tell of another name
                self._refused[uid_of(replica_set)] = error
                self._events.record(replica_set, "FailedCreate", f"Error creating: {error}", warning=True)
            return False
        self._refused.pop(uid_of(replica_set), None)
        self._events.record(replica_set, "SuccessfulCreate", f"Created pod: {name_of(pod)}")
        return True

    def _report(self, replica_set: JsonObject) -> None:
        pods = active(owned(self.registry, POD, replica_set))
        ready = sum(is_ready(pod) for pod in pods)
        status: JsonObject = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "observedGeneration": replica_set["metadata"]["generation"],
        }
        if ready:  # a real server leaves out counts of zero
            status.update(readyReplicas=ready, availableReplicas=ready)
        if error := self._refused.get(uid_of(replica_set)):
            status["conditions"] = [self._failure(replica_set, error)]
        self.registry.set_status(
            REPLICA_SET, replica_set, {k: v for k, v in status.items() if v or k == "replicas"}
        )

    def _failure(self, replica_set: JsonObject, error: ApiError) -> JsonObject:
        for condition in replica_set.get("status", {}).get("conditions", []):
            if condition["message"] == str(error):
                return dict(condition)
        return {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": self.registry.now(),
            "reason": "FailedCreate",
            "message": str(error),
        }


def _first_to_go(pods: list[JsonObject]) -> list[JsonObject]:
    """Unready pods go before ready ones, and young ones before old ones."""
    young_first = sorted(pods, key=lambda pod: int(pod["metadata"]["resourceVersion"]), reverse=True)
    young_first.sort(key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    return sorted(young_first, key=is_ready)


@dataclass
class GarbageCollector:
    """Deletes objects whose controller is gone."""

    registry: Registry

    def reconcile(self) -> None:
        """One pass over everything that has a controller."""
        alive = {uid_of(obj) for kind in KINDS for obj in self.registry.store.objects(kind)}
        for kind in (REPLICA_SET, CONTROLLER_REVISION, POD):
            for obj in self.registry.store.objects(kind):
                controller = controller_of(obj)
                if controller is not None and controller not in alive and not is_terminating(obj):
                    self.registry.delete(kind, obj, {})
