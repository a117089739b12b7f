"""The simulated Kubernetes cluster: an API server, its controllers and one node, in this process.

It is not `kmock`: version 0.8 imitates an API server's storage and
watches for tests of operators, but has no authentication, RBAC, strategic merge patch, dry run, conflicts,
validation, tables, logs, controllers or kubelet, and would bring in aiohttp. A drill needs all
of these.

Not imitated: admission webhooks, `exec` and port-forward, Services'
traffic, `minReadySeconds`, init containers, volumes, evictions (a budget only says how many pods may go), and
objects sent in protobuf, as by a new `kubectl create` without `--dry-run=client`. Server-side apply
changes existing objects only and creates none. `managedFields` are kept for workloads and Secrets.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from deployments.drill.cluster.controllers.deployment import DeploymentController
from deployments.drill.cluster.controllers.disruption import DisruptionController
from deployments.drill.cluster.controllers.replication import GarbageCollector, ReplicaSetController
from deployments.drill.cluster.controllers.rollout import TEMPLATE_HASH, revision_of
from deployments.drill.cluster.controllers.stateful_set import REVISION_HASH, StatefulSetController
from deployments.drill.cluster.faults import Fault
from deployments.drill.cluster.kinds import (
    CONTROLLER_REVISION,
    NAMESPACE,
    NODE,
    REPLICA_SET,
    RESOURCE_QUOTA,
    by_kind,
)
from deployments.drill.cluster.node.containers import NODE_NAME, NODE_STATUS, PodRun
from deployments.drill.cluster.node.environment import memory_limit
from deployments.drill.cluster.node.kubelet import Kubelet, Speeds
from deployments.drill.cluster.objects import (
    JsonObject,
    controller_of,
    copied,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from deployments.drill.cluster.recording import RecordedRequest
from deployments.drill.cluster.server.api import Api
from deployments.drill.cluster.server.auth import Authority, Rule
from deployments.drill.cluster.store import Store
from deployments.drill.cluster.writes.admission import quota_status
from deployments.drill.cluster.writes.managed_fields import Writer
from deployments.drill.cluster.writes.registry import Registry
from deployments.drill.cluster.writes.strategic_merge import strategically_merged
from deployments.drill.cluster.writes.write_options import WriteOptions

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RunningPod:
    """A pod whose main container runs and has not been told to stop.

    `env` was resolved when the container started, so it may differ from what the objects say now.
    `memory_limit` is in bytes, None without a limit. `revision` is its workload's, 0 for a pod without one.
    """

    name: str
    env: Mapping[str, str] = field(repr=False)
    memory_limit: int | None
    ready: bool
    started_at: datetime
    restarts: int
    template_hash: str
    revision: int
    image: str


class Cluster:
    """A cluster with one node.

    Speeds are seconds: from a pod's creation until it is ready, from its deletion until it is gone, and the
    first wait of a crash loop (a real kubelet's 10 s). `image_faults` makes every container of an image fail:
    "ImagePullBackOff" or "CrashLoopBackOff". `clock` stamps objects and logs; delays follow the event loop's
    time.
    """

    def __init__(
        self,
        *,
        namespace: str = "default",
        pod_start_seconds: float = 0.3,
        pod_stop_seconds: float = 0.3,
        crash_backoff_seconds: float = 1.0,
        clock: Callable[[], datetime] = _utc_now,
        random: Random | None = None,
    ) -> None:
        self.namespace = namespace
        self.image_faults: dict[str, str] = {}
        self._clock = clock
        self._wake = asyncio.Event()
        self._store = Store()
        self._registry = Registry(self._store, clock, random or Random())
        self._authority = Authority(namespace)
        speeds = Speeds(pod_start_seconds, pod_stop_seconds, crash_backoff_seconds)
        self._kubelet = Kubelet(self._registry, clock, speeds, self.image_faults)
        self._deployments = DeploymentController(self._registry, self._wake.set)
        self._replica_sets = ReplicaSetController(self._registry)
        self._stateful_sets = StatefulSetController(self._registry)
        self._budgets = DisruptionController(self._registry)
        self._collector = GarbageCollector(self._registry)
        self._api = Api(self._registry, self._authority, self._kubelet, clock)
        self.app = Starlette(routes=[Route("/{path:path}", self._api.handle, methods=_METHODS)])
        self._bootstrap()
        self._store.on_change(lambda _: self._wake.set())

    def _bootstrap(self) -> None:
        for name in dict.fromkeys(["default", "kube-system", self.namespace]):
            self.apply({"kind": "Namespace", "metadata": {"name": name}})
        self.apply({"kind": "Node", "metadata": {"name": NODE_NAME}})
        self._registry.set_status(NODE, self.get("Node", NODE_NAME), NODE_STATUS)
        for namespace in self._store.objects(NAMESPACE):
            self._registry.set_status(NAMESPACE, namespace, {"phase": "Active"})

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in order of arrival."""
        return self._api.requests

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong at the wire: append a Fault; the first that matches a request applies."""
        return self._api.faults

    def apply(self, manifest: Mapping[str, Any], *, manager: str = "kubectl-patch") -> None:
        """Create the object, or merge the manifest into it strategically, as an administrator would.

        `manager` becomes the field manager of what that changes.

        Raises KeyError for an unknown kind, DecodingError or ApiError for an object that a client could not
        write.
        """
        kind = by_kind(manifest["kind"])
        obj: JsonObject = dict(copied(manifest))
        namespace = obj["metadata"].get("namespace", self.namespace) if kind.namespaced else ""
        current = self._store.get(kind, namespace, name_of(obj))
        options = WriteOptions(writer=Writer(manager))
        if current is None:
            self._registry.create(kind, namespace, obj, options)
        else:
            self._registry.replace(kind, current, strategically_merged(current, obj), options)

    def apply_server_side(self, manifest: Mapping[str, Any], *, manager: str, force: bool = True) -> None:
        """Apply the manifest to an existing object as GitOps controllers do; they own the fields it names.

        Raises KeyError if there is no such object; ApiError 409 without `force` if others own what changes.
        """
        obj: JsonObject = dict(copied(manifest))
        kind = by_kind(obj["kind"])
        current = self.get(kind.kind, name_of(obj))
        self._registry.apply(kind, current, obj, WriteOptions(writer=Writer(manager, "Apply")), force)

    def get(self, kind: str, name: str) -> JsonObject:
        """A copy of an object in the cluster's namespace, or cluster-wide. Raises KeyError."""
        known = by_kind(kind)
        found = self._store.get(known, self.namespace if known.namespaced else "", name)
        if found is None:
            raise KeyError(f"{kind} {name}")
        return copied(found)

    def objects(self, kind: str, labels: Mapping[str, str] | None = None) -> list[JsonObject]:
        """Copies of the objects of a kind that carry these labels. Raises KeyError for an unknown kind."""
        known = by_kind(kind)
        found = self._store.objects(known, self.namespace if known.namespaced else "")
        return [copied(obj) for obj in found if (labels or {}).items() <= labels_of(obj).items()]

    def grant(self, user: str, token: str, rules: Sequence[Rule]) -> None:
        """Let a token act as a user with exactly these rules."""
        self._authority.grant(user, token, rules)

    def expire(self, token: str) -> None:
        """Refuse this token with 401 from now on."""
        self._authority.expire(token)

    def load_rules(self, *, after_seconds: float) -> None:
        """Behave like a server that has just started and loads its rules only after this time."""
        self._authority.rules_loaded = False
        loaded = partial(setattr, self._authority, "rules_loaded", True)
        asyncio.get_running_loop().call_later(after_seconds, loaded)

    def pods(self, labels: Mapping[str, str]) -> list[RunningPod]:
        """The running pods that carry these labels."""
        runs = [run for run in self._kubelet.pods.values() if run.running]
        return [self._running(run) for run in runs if labels.items() <= labels_of(run.pod).items()]

    def _running(self, run: PodRun) -> RunningPod:
        main = run.main
        return RunningPod(
            name=name_of(run.pod),
            env=dict(main.environment),
            memory_limit=memory_limit(main.spec),
            ready=all(container.ready for container in run.containers.values()),
            started_at=main.started_at or run.admitted_at,
            restarts=sum(container.restarts for container in run.containers.values()),
            template_hash=labels_of(run.pod).get(TEMPLATE_HASH, ""),
            revision=self._revision(run.pod),
            image=str(main.spec.get("image", "")),
        )

    def _revision(self, pod: JsonObject) -> int:
        ordered = self._store.get(
            CONTROLLER_REVISION, namespace_of(pod), labels_of(pod).get(REVISION_HASH, "")
        )
        if ordered is not None:
            return int(ordered["revision"])
        sets = {uid_of(each): each for each in self._store.objects(REPLICA_SET, namespace_of(pod))}
        owner = sets.get(controller_of(pod) or "")
        return revision_of(owner) if owner else 0

    def write_log(self, pod: str, line: str, container: str | None = None) -> None:
        """The process in a container writes a line; a process that has ended writes nothing.

        Raises KeyError for a pod that never existed or a container that it does not have.
        """
        try:
            run = self._kubelet.find(pod)
        except KeyError:
            if pod in self._kubelet.past:
                return
            raise
        target = run.containers[container] if container else run.main
        if target.running:
            target.logs[-1].write(self._clock(), line)

    def terminate(self, pod: str, *, reason: str, exit_code: int) -> None:
        """The main process of a pod dies, for example of OOMKilled with 137; its container starts again.

        From the second time on, the restart waits for a crash loop's back-off. Raises KeyError for a pod that
        does not run.
        """
        self._kubelet.terminate(pod, reason, exit_code)

    def set_ready(self, pod: str, ready: bool) -> None:
        """What the pod's readiness probe finds from now on. Raises KeyError."""
        self._kubelet.set_ready(pod, ready)

    def close_streams(self) -> None:
        """End open watches, followed logs and delays, as a server that shuts down does."""
        self._api.end_delays()
        self._store.close_streams()
        self._kubelet.close_logs()

    def _count_quotas(self) -> None:
        for quota in self._store.objects(RESOURCE_QUOTA):
            self._registry.set_status(RESOURCE_QUOTA, quota, quota_status(self._store, quota))

    async def run(self) -> None:
        """Run the controllers and the node until cancelled. They work only after a change."""
        try:
            while True:
                self._wake.clear()
                self._deployments.reconcile()
                self._replica_sets.reconcile()
                self._stateful_sets.reconcile()
                self._kubelet.reconcile()
                self._budgets.reconcile()
                self._count_quotas()
                self._collector.reconcile()
                await asyncio.sleep(0)  # let requests in between two passes
                await self._wake.wait()
        finally:
            self._kubelet.stop()
            self._deployments.stop()
