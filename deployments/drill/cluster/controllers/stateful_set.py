"""The StatefulSet controller: pods whose names stay, made, updated and removed in order.

Revisions are ControllerRevisions. Not imitated: volume claims, `ordinals.start` and `maxUnavailable`.

Source: k8s.io/kubernetes/pkg/controller/statefulset (stateful_set_control.go) and pkg/controller/history.
"""

from dataclasses import dataclass

from deployments.drill.cluster.controllers.replication import is_ready, owned, owner_reference
from deployments.drill.cluster.controllers.rollout import template_hash
from deployments.drill.cluster.events import Recorder
from deployments.drill.cluster.kinds import CONTROLLER_REVISION, POD, STATEFUL_SET
from deployments.drill.cluster.objects import (
    JsonObject,
    copied,
    is_terminating,
    labels_of,
    name_of,
    namespace_of,
)
from deployments.drill.cluster.writes.registry import Registry

REVISION_HASH = "controller-revision-hash"


@dataclass(frozen=True)
class Revisions:
    """The ControllerRevisions of a StatefulSet: all of them, where its pods come from and where they go."""

    own: list[JsonObject]
    current: JsonObject
    update: JsonObject


@dataclass
class StatefulSetController:
    """Brings every StatefulSet's pods in line with its template and number of replicas, a step at a time."""

    registry: Registry

    def __post_init__(self) -> None:
        self._events = Recorder(self.registry, "statefulset-controller")

    def reconcile(self) -> None:
        """One pass over all StatefulSets; what a step changes causes the next pass."""
        for stateful_set in self.registry.store.objects(STATEFUL_SET):
            if not is_terminating(stateful_set):
                found = self._revisions(stateful_set)
                self._step(stateful_set, found)
                status = stateful_set_status(stateful_set, found, self._pods(stateful_set))
                self.registry.set_status(STATEFUL_SET, stateful_set, status)
                self._forget_old_revisions(stateful_set, found)

    def _revisions(self, stateful_set: JsonObject) -> Revisions:
        own = sorted(owned(self.registry, CONTROLLER_REVISION, stateful_set), key=_number)
        template = {**copied(stateful_set["spec"]["template"]), "$patch": "replace"}
        update = next((each for each in own if each["data"]["spec"]["template"] == template), None)
        newest = _number(own[-1]) if own else 0
        if update is None:
            update = self._create_revision(stateful_set, template, newest + 1)
            own = [*own, update]
        elif update is not own[-1]:  # an old template that is wanted again becomes the newest revision
            update = self.registry.amend(
                CONTROLLER_REVISION, update, lambda revision: revision.update(revision=newest + 1)
            )
        known = stateful_set.get("status", {}).get("currentRevision", "")
        current = next((each for each in own if name_of(each) == known), update)
        return Revisions(own, current, update)

    def _create_revision(self, stateful_set: JsonObject, template: JsonObject, number: int) -> JsonObject:
        short = template_hash(template)
        metadata = {
            "name": f"{name_of(stateful_set)}-{short}",
            "labels": {**labels_of(template), "controller.kubernetes.io/hash": short},
            "ownerReferences": [owner_reference(stateful_set)],
        }
        body = {"metadata": metadata, "data": {"spec": {"template": template}}, "revision": number}
        return self.registry.create(CONTROLLER_REVISION, namespace_of(stateful_set), body)

    def _pods(self, stateful_set: JsonObject) -> dict[int, JsonObject]:
        """The pods by their ordinals."""
        pods = owned(self.registry, POD, stateful_set)
        return {int(name_of(pod).rpartition("-")[2]): pod for pod in pods}

    def _step(self, stateful_set: JsonObject, found: Revisions) -> None:
        """In order: make what is missing, remove what is too much, then replace what is old."""
        pods = self._pods(stateful_set)
        in_order = stateful_set["spec"]["podManagementPolicy"] == "OrderedReady"
        if not self._all_made(stateful_set, found, pods, in_order):
            return
        if not self._surplus_gone(stateful_set, pods, in_order):
            return
        if stateful_set["spec"]["updateStrategy"]["type"] == "OnDelete":
            return
        for ordinal in reversed(range(_partition(stateful_set), stateful_set["spec"]["replicas"])):
            pod = pods[ordinal]
            if _revision_of(pod) != name_of(found.update) and not is_terminating(pod):
                self._delete(stateful_set, pod)
                return
            if not _is_healthy(pod):
                return

    def _all_made(
        self, stateful_set: JsonObject, found: Revisions, pods: dict[int, JsonObject], in_order: bool
    ) -> bool:
        """Whether every wanted pod is there and, in order, healthy."""
        complete = True
        for ordinal in range(stateful_set["spec"]["replicas"]):
            pod = pods.get(ordinal)
            if pod is None:
                revision = found.current if ordinal < _partition(stateful_set) else found.update
                self._create(stateful_set, ordinal, revision)
            if pod is None or (in_order and not _is_healthy(pod)):
                complete = False
                if in_order:
                    return False
        return complete

    def _surplus_gone(self, stateful_set: JsonObject, pods: dict[int, JsonObject], in_order: bool) -> bool:
        """Whether no pod is left above the wanted number; the highest goes first."""
        surplus = sorted((n for n in pods if n >= stateful_set["spec"]["replicas"]), reverse=True)
        unhealthy = [n for n in surplus if not _is_healthy(pods[n])]
        for ordinal in surplus:
            if is_terminating(pods[ordinal]):
                if in_order:
                    return False
                continue
            if in_order and unhealthy and ordinal > unhealthy[-1]:
                return False
            self._delete(stateful_set, pods[ordinal])
            if in_order:
                return False
        return True

    def _create(self, stateful_set: JsonObject, ordinal: int, revision: JsonObject) -> None:
        name = f"{name_of(stateful_set)}-{ordinal}"
        if self.registry.store.get(POD, namespace_of(stateful_set), name):
            return  # someone else's pod has the name
        template = copied(revision["data"]["spec"]["template"])
        labels = {
            **labels_of(template),
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(ordinal),
            REVISION_HASH: name_of(revision),
        }
        metadata = {
            **template["metadata"],
            "name": name,
            "labels": labels,
            "ownerReferences": [owner_reference(stateful_set)],
        }
        spec = {**template["spec"], "hostname": name}
        self.registry.create(POD, namespace_of(stateful_set), {"metadata": metadata, "spec": spec})
        self._tell(stateful_set, "SuccessfulCreate", "create", name)

    def _delete(self, stateful_set: JsonObject, pod: JsonObject) -> None:
        self.registry.delete(POD, pod, {})
        self._tell(stateful_set, "SuccessfulDelete", "delete", name_of(pod))

    def _tell(self, stateful_set: JsonObject, reason: str, verb: str, pod: str) -> None:
        text = f"{verb} Pod {pod} in StatefulSet {name_of(stateful_set)} successful"
        self._events.record(stateful_set, reason, text)

    def _forget_old_revisions(self, stateful_set: JsonObject, found: Revisions) -> None:
        live = {name_of(found.current), name_of(found.update)}
        live |= {_revision_of(pod) for pod in self._pods(stateful_set).values()}
        history = [each for each in found.own if name_of(each) not in live]
        limit = stateful_set["spec"]["revisionHistoryLimit"]
        for revision in history[: max(len(history) - limit, 0)]:
            self.registry.delete(CONTROLLER_REVISION, revision, {})


def stateful_set_status(
    stateful_set: JsonObject, found: Revisions, pods: dict[int, JsonObject]
) -> JsonObject:
    """The status for the pods as they are, without the counts of zero that the wire leaves out."""

    def at(revision: JsonObject) -> int:
        return sum(
            _revision_of(pod) == name_of(revision) and not is_terminating(pod) for pod in pods.values()
        )

    ready = sum(is_ready(pod) for pod in pods.values())
    updated, current = at(found.update), found.current
    complete = updated == len(pods) == ready == stateful_set["spec"]["replicas"]
    if complete and stateful_set["spec"]["updateStrategy"]["type"] == "RollingUpdate":
        current = found.update
    counts = {"readyReplicas": ready, "currentReplicas": at(current), "updatedReplicas": updated}
    return {
        "observedGeneration": stateful_set["metadata"]["generation"],
        "replicas": len(pods),
        **{name: count for name, count in counts.items() if count},
        "currentRevision": name_of(current),
        "updateRevision": name_of(found.update),
        "collisionCount": 0,
        "availableReplicas": ready,
    }


def _number(revision: JsonObject) -> int:
    return int(revision["revision"])


def _revision_of(pod: JsonObject) -> str:
    return labels_of(pod).get(REVISION_HASH, "")


def _partition(stateful_set: JsonObject) -> int:
    rolling = stateful_set["spec"]["updateStrategy"].get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def _is_healthy(pod: JsonObject) -> bool:
    return is_ready(pod) and not is_terminating(pod)
