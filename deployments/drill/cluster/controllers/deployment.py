"""The Deployment controller: revisions as ReplicaSets, rolling updates, undo, pause and the progress
deadline.

Source: k8s.io/kubernetes/pkg/controller/deployment.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from deployments.drill.cluster.controllers.deployment_status import Progress, deployment_status
from deployments.drill.cluster.controllers.replication import owned, owner_reference
from deployments.drill.cluster.controllers.rollout import (
    REVISION,
    REVISION_HISTORY,
    TEMPLATE_HASH,
    has_live_pods,
    new_size,
    old_sizes,
    revision_of,
    template_hash,
    wanted,
    without_hash,
)
from deployments.drill.cluster.events import Recorder
from deployments.drill.cluster.kinds import DEPLOYMENT, POD, REPLICA_SET
from deployments.drill.cluster.objects import (
    JsonObject,
    annotations_of,
    copied,
    is_terminating,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from deployments.drill.cluster.writes.registry import Registry

_NOT_COPIED = (REVISION, REVISION_HISTORY, "kubectl.kubernetes.io/last-applied-configuration")


@dataclass
class DeploymentController:
    """Brings every Deployment's ReplicaSets in line with its template and number of replicas.

    `wake` is called when a progress deadline passes, since nothing else would cause a pass then.
    """

    registry: Registry
    wake: Callable[[], None]
    _progress: dict[str, Progress] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._events = Recorder(self.registry, "deployment-controller")

    def reconcile(self) -> None:
        """One pass over all Deployments."""
        deployments = [each for each in self.registry.store.objects(DEPLOYMENT) if not is_terminating(each)]
        for gone in self._progress.keys() - {uid_of(each) for each in deployments}:
            self._progress.pop(gone).cancel()
        for deployment in deployments:
            self._sync(deployment)

    def stop(self) -> None:
        """Cancel the deadlines that are still to come."""
        for progress in self._progress.values():
            progress.cancel()

    def _sync(self, deployment: JsonObject) -> None:
        sets = owned(self.registry, REPLICA_SET, deployment)
        template = deployment["spec"]["template"]
        new = next((each for each in sets if without_hash(each["spec"]["template"]) == template), None)
        olds = [each for each in sets if each is not new]
        if deployment["spec"].get("paused"):
            self._scale_paused(deployment, new, olds)
        else:
            if new is None and not self._waits_for_old_pods(deployment, olds):
                new = self._create_revision(deployment, sets)
            elif new is not None:
                new = self._renew_revision(deployment, new, olds)
            new = self._roll(deployment, new, olds)
        self._report(deployment, new)
        if not deployment["spec"].get("paused"):
            self._forget_old_revisions(deployment, olds)

    def _waits_for_old_pods(self, deployment: JsonObject, olds: list[JsonObject]) -> bool:
        """A Recreate rollout starts no new pod before the last old one has gone."""
        if deployment["spec"]["strategy"]["type"] != "Recreate":
            return False
        return any(wanted(old) or has_live_pods(owned(self.registry, POD, old)) for old in olds)

    def _create_revision(self, deployment: JsonObject, sets: list[JsonObject]) -> JsonObject:
        revision = str(max((revision_of(each) for each in sets), default=0) + 1)
        template = copied(deployment["spec"]["template"])
        label = {TEMPLATE_HASH: template_hash(template)}
        template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), **label}
        selector = copied(deployment["spec"]["selector"])
        selector["matchLabels"] = {**selector.get("matchLabels", {}), **label}
        inherited = {k: v for k, v in annotations_of(deployment).items() if k not in _NOT_COPIED}
        created = self.registry.create(
            REPLICA_SET,
            namespace_of(deployment),
            {
                "metadata": {
                    "name": f"{name_of(deployment)}-{label[TEMPLATE_HASH]}",
                    "labels": labels_of({"metadata": template["metadata"]}),
                    "annotations": {**inherited, REVISION: revision},
                    "ownerReferences": [owner_reference(deployment)],
                },
                "spec": {"replicas": 0, "selector": selector, "template": template},
            },
        )
        self._set_revision(deployment, revision)
        self._progress_of(deployment).note("NewReplicaSetCreated", name_of(created), self.registry.now())
        return created

    def _renew_revision(self, deployment: JsonObject, new: JsonObject, olds: list[JsonObject]) -> JsonObject:
        """An old template that is wanted again, as after an undo, becomes the newest revision."""
        newest = max((revision_of(old) for old in olds), default=0)
        inherited = {k: v for k, v in annotations_of(deployment).items() if k not in _NOT_COPIED}
        annotations = {**annotations_of(new), **inherited}
        if revision_of(new) < newest:
            history = filter(None, [annotations.get(REVISION_HISTORY), str(revision_of(new))])
            annotations.update({REVISION: str(newest + 1), REVISION_HISTORY: ",".join(history)})
            self._progress_of(deployment).note("FoundNewReplicaSet", name_of(new), self.registry.now())
        if annotations != annotations_of(new):
            new = self.registry.amend(
                REPLICA_SET, new, lambda obj: obj["metadata"].update(annotations=annotations)
            )
        self._set_revision(deployment, str(revision_of(new)))
        return new

    def _set_revision(self, deployment: JsonObject, revision: str) -> None:
        if annotations_of(deployment).get(REVISION) != revision:
            self.registry.set_status(
                DEPLOYMENT, deployment, deployment.get("status", {}), {REVISION: revision}
            )

    def _roll(
        self, deployment: JsonObject, new: JsonObject | None, olds: list[JsonObject]
    ) -> JsonObject | None:
        if new is None:  # Recreate, still stopping
            for old in olds:
                self._scale(deployment, old, 0)
            return None
        if self._waits_for_old_pods(deployment, olds):
            for old in olds:
                self._scale(deployment, old, 0)
            return new
        new = self._scale(deployment, new, new_size(deployment, new, olds))
        sizes = old_sizes(deployment, new, olds)
        for old in olds:
            self._scale(deployment, old, sizes[name_of(old)])
        return new

    def _scale_paused(self, deployment: JsonObject, new: JsonObject | None, olds: list[JsonObject]) -> None:
        """A paused Deployment changes its number of pods, not their template."""
        alive = [each for each in [new, *olds] if each is not None and wanted(each)]
        if len(alive) == 1:
            self._scale(deployment, alive[0], deployment["spec"]["replicas"])

    def _scale(self, deployment: JsonObject, replica_set: JsonObject, size: int) -> JsonObject:
        before = wanted(replica_set)
        if size == before:
            return replica_set
        scaled = self.registry.amend(REPLICA_SET, replica_set, lambda obj: obj["spec"].update(replicas=size))
        direction = "up" if size > before else "down"
        text = f"Scaled {direction} replica set {name_of(replica_set)} from {before} to {size}"
        self._events.record(deployment, "ScalingReplicaSet", text)
        return scaled

    def _report(self, deployment: JsonObject, new: JsonObject | None) -> None:
        sets = owned(self.registry, REPLICA_SET, deployment)
        current = next((each for each in sets if new is not None and uid_of(each) == uid_of(new)), None)
        progress = self._progress_of(deployment)
        status = deployment_status(deployment, current, sets, progress, self.registry.now())
        seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
        progress.watch(seconds, self.wake)
        self.registry.set_status(DEPLOYMENT, deployment, status)

    def _progress_of(self, deployment: JsonObject) -> Progress:
        loop = asyncio.get_running_loop()
        return self._progress.setdefault(uid_of(deployment), Progress(loop))

    def _forget_old_revisions(self, deployment: JsonObject, olds: list[JsonObject]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        empty = [old for old in olds if not wanted(old) and not old.get("status", {}).get("replicas")]
        for old in sorted(empty, key=revision_of)[: max(len(empty) - limit, 0)]:
            current = self.registry.store.get(REPLICA_SET, namespace_of(old), name_of(old))
            if current is not None:
                self.registry.delete(REPLICA_SET, current, {})
