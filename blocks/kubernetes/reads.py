"""What is read of the cluster: the workload, its pods, revisions, logs and budgets."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api, PolicyV1Api

from blocks.kubernetes.access.connection import ClusterConnection, Json
from blocks.kubernetes.access.errors import SYSTEM, Request
from blocks.kubernetes.access.permissions import WORKLOADS, WorkloadKind
from blocks.kubernetes.budgets import budgets_of
from blocks.kubernetes.events import PAGE, PAGES, EventList, asked_about, is_part_of, warning_lines
from blocks.kubernetes.logs import LogSource, LogText, LogWindow, log_sources, pod_logs, read_log
from blocks.kubernetes.objects import rollouts_of, workload_reading
from blocks.kubernetes.pods import WorkloadPods, failing_containers, known_containers, pods_of
from blocks.kubernetes.revisions import Revision, mark_of, revisions
from blocks.kubernetes.rollout import RolloutStatus, deployment_status, finished_before, stateful_set_status
from blocks.transport.errors import Forbidden, NotFound, OutsideError, Unavailable
from runbook.checks.log_lines import PodLogs
from runbook.checks.readings import ContainerRole, Rollout, WorkloadReading
from runbook.kubernetes.patches import main_container

_LOGS_AT_ONCE = 6

_READ: Mapping[WorkloadKind, Callable[..., Any]] = {
    "Deployment": AppsV1Api.read_namespaced_deployment,
    "StatefulSet": AppsV1Api.read_namespaced_stateful_set,
}


class ClusterReads(ClusterConnection):
    """Everything that only looks.

    Each method raises `Unavailable` where the cluster does not answer and `Refused` where it does not let us
    look, or where there is no such object.
    """

    async def read_workload(self) -> WorkloadReading:
        """Replicas, pods, switches and revisions of the workload, and its newest warnings.

        Events are decoration: where they may not be read, the reading says so in their place.
        """
        workload, pods, items = await asyncio.gather(
            self.read_deployment(), self.list_pods(), self.list_revisions()
        )
        own = revisions(workload, items)
        mine = pods_of(workload, own, pods)
        uids = {revision.uid for revision in own}
        names = asked_about(
            workload, [item for item in items if item["metadata"].get("uid") in uids], mine.living
        )
        events = await self._warnings(names, living={pod["metadata"]["name"] for pod in pods})
        try:
            return workload_reading(
                self.target,
                workload,
                pods=mine,
                own=own,
                events=events,
                container=self.container,
                switches=self.switches,
                at=self.server_time(),
                waits_for=self._rollout(workload, own, mine).waits_for,
            )
        except LookupError as error:
            raise NotFound(SYSTEM, f"{self.target}: {error}", "Correct `container` in [cluster]") from None

    async def read_deployment(self) -> Json:
        """The Deployment, or the StatefulSet, as the API gives it."""
        read = _READ[self.workload_kind]
        return await self._ask(
            Request("get", WORKLOADS[self.workload_kind], self.deployment),
            lambda client: read(AppsV1Api(client), self.deployment, self.namespace, **self._raw),
        )

    async def list_pods(self) -> list[Json]:
        """The pods of the selector, terminating ones too."""
        return _items(
            await self._ask(
                Request("list", "pods"),
                lambda client: CoreV1Api(client).list_namespaced_pod(
                    self.namespace, label_selector=self.selector, **self._raw
                ),
            )
        )

    async def list_revisions(self) -> list[Json]:
        """The objects that hold the revisions: ReplicaSets, or a StatefulSet's ControllerRevisions."""
        if self.workload_kind == "Deployment":
            return await self.list_replica_sets()
        return _items(
            await self._ask(
                Request("list", "controllerrevisions"),
                lambda client: AppsV1Api(client).list_namespaced_controller_revision(
                    self.namespace, label_selector=self.selector, **self._raw
                ),
            )
        )

    async def list_replica_sets(self) -> list[Json]:
        """The ReplicaSets of the selector; a StatefulSet has none."""
        if self.workload_kind != "Deployment":
            return []
        return _items(
            await self._ask(
                Request("list", "replicasets"),
                lambda client: AppsV1Api(client).list_namespaced_replica_set(
                    self.namespace, label_selector=self.selector, **self._raw
                ),
            )
        )

    async def list_events(self) -> EventList:
        """Events of the workload, its revisions and its pods; the cluster keeps them for about an hour."""
        found = await self._list_events("")
        items = [
            event for event in found.items if is_part_of(event.get("involvedObject") or {}, self.deployment)
        ]
        return EventList(items, found.missing)

    async def _list_events(self, selector: str, *, pages: int = PAGES) -> EventList:
        """All events that a field selector finds, page by page."""
        found, token = EventList(), ""
        for _ in range(pages):
            try:
                answer = await self._ask(
                    Request("list", "events"),
                    partial(self._events_page, selector=selector, token=token),
                )
            except OutsideError as error:
                if not token:
                    raise
                found.missing = f"only the first {len(found.items)} events were read: {error.detail}"
                return found
            found.items += _items(answer)
            token = str(answer["metadata"].get("continue") or "")
            if not token:
                return found
        found.missing = f"only the first {len(found.items)} events were read; there are more"
        return found

    def _events_page(self, client: ApiClient, *, selector: str, token: str) -> Any:
        options: dict[str, Any] = {
            "limit": PAGE,
            "field_selector": selector or None,
            "_continue": token or None,
        }
        given = {name: value for name, value in options.items() if value is not None}
        return CoreV1Api(client).list_namespaced_event(self.namespace, **given, **self._raw)

    async def list_disruption_budgets(self) -> list[Json]:
        """The PodDisruptionBudgets that count the workload's pods.

        A pod that is deleted is not asked whether its budget allows it: whoever deletes one looks here first.

        Raises:
            NotFound: the cluster is older than Kubernetes 1.21 and has no policy/v1.
        """
        try:
            answer, pods = await asyncio.gather(
                self._ask(
                    Request("list", "poddisruptionbudgets"),
                    lambda client: PolicyV1Api(client).list_namespaced_pod_disruption_budget(
                        self.namespace, **self._raw
                    ),
                ),
                self.list_pods(),
            )
        except NotFound as error:
            older = "Its policy/v1 came with Kubernetes 1.21: check with kubectl get pdb"
            raise NotFound(SYSTEM, error.detail, older) from None
        return budgets_of(pods, _items(answer))

    async def list_quotas(self) -> list[Json]:
        """The namespace's ResourceQuotas."""
        return _items(
            await self._ask(
                Request("list", "resourcequotas"),
                lambda client: CoreV1Api(client).list_namespaced_resource_quota(self.namespace, **self._raw),
            )
        )

    async def list_limit_ranges(self) -> list[Json]:
        """The namespace's LimitRanges."""
        return _items(
            await self._ask(
                Request("list", "limitranges"),
                lambda client: CoreV1Api(client).list_namespaced_limit_range(self.namespace, **self._raw),
            )
        )

    async def own_pods(self) -> tuple[Json, list[Revision], WorkloadPods]:
        """The workload, its revisions, and which of the selector's pods are its own living ones."""
        workload, pods, items = await asyncio.gather(
            self.read_deployment(), self.list_pods(), self.list_revisions()
        )
        own = revisions(workload, items)
        return workload, own, pods_of(workload, own, pods)

    async def rollout_status(self) -> RolloutStatus:
        """How far the newest rollout is."""
        return self._rollout(*await self.own_pods())

    async def rollout_under_way(self) -> Rollout | None:
        """The newest revision while it is rolled out; `None` where that is over, waits for people, or its own
        pods fail.
        """
        workload, own, pods = await self.own_pods()
        status = self._rollout(workload, own, pods)
        if not own or status.state != "progressing" or status.waits_for or finished_before(workload):
            return None
        if any(failing_containers(pod) for pod in pods.living if mark_of(pod) == own[-1].mark):
            return None
        return rollouts_of(workload, own, self.container)[-1]

    def _rollout(self, workload: Json, own: Sequence[Revision], pods: WorkloadPods) -> RolloutStatus:
        if self.workload_kind == "StatefulSet":
            return stateful_set_status(workload, pods.living)
        return deployment_status(workload, pods.living, own[-1].mark if own else "")

    async def read_logs(
        self, since_seconds: int, *, within_seconds: float | None = None, every_container: bool = False
    ) -> PodLogs:
        """All lines of the workload's pods in the last `since_seconds`, from before restarts too.

        Read are the configured container and the init containers; where none is configured, all that the
        workload's template has; with `every_container`, injected ones too. `within_seconds` is for all logs
        together, else each has the timeout. A log that cannot be read, or not wholly, does not stop the
        others: `pods_unread` says why.
        """
        workload, own, pods = await self.own_pods()
        template = workload["spec"]["template"]
        try:
            main = main_container(template, self.container)
        except LookupError as error:
            raise NotFound(SYSTEM, f"{self.target}: {error}", "Correct `container` in [cluster]") from None
        known = known_containers([template, *(revision.template for revision in own)])
        since = (self.server_time() or datetime.now(UTC)) - timedelta(seconds=since_seconds)
        slots = asyncio.Semaphore(_LOGS_AT_ONCE)
        together = time.monotonic() + within_seconds if within_seconds else None

        def wanted(name: str, role: ContainerRole) -> bool:
            if every_container:
                return True
            if self.container is not None:
                return name == self.container or role is ContainerRole.INIT
            return role is not ContainerRole.INJECTED

        async def read(source: LogSource) -> LogText:
            async with slots:
                seconds = within_seconds or self.timeout_seconds
                ends_at = together or time.monotonic() + seconds
                window = LogWindow(max(1, since_seconds), self.log_bytes_limit, seconds, ends_at)
                return await self._read_log(source, window)

        sources = [
            source
            for pod in pods.living
            for source in log_sources(pod, wanted, main=main, known=known, since=since)
        ]
        return pod_logs(await asyncio.gather(*map(read, sources)))

    async def _read_log(self, source: LogSource, window: LogWindow) -> LogText:
        text = LogText(source)
        try:
            async with asyncio.timeout(max(0, window.left)):
                await self._in_time(
                    Request("get", "pods/log", source.pod),
                    lambda: read_log(self.credentials, self.namespace, text, window),
                )
        except TimeoutError:
            text.cut_short(window.seconds)
        except Unavailable as error:
            text.missing = error.detail
        return text

    async def _warnings(self, names: Sequence[str], *, living: Collection[str]) -> tuple[str, ...]:
        """The newest warnings about these objects, and about pods that are gone.

        Asked by object, since a namespace may have more events than anybody reads.
        """
        gone = "type=Warning,involvedObject.kind=Pod"
        try:
            lists = await asyncio.gather(
                *(self._list_events(f"type=Warning,involvedObject.name={name}") for name in names),
                self._list_events(gone, pages=1),
            )
        except Forbidden as error:
            return (f"events were not read: {error.detail}",)
        events = [event for found in lists for event in found.items]
        missing = tuple(found.missing for found in lists[:-1] if found.missing)
        return (*warning_lines(events, self.deployment, living=living), *missing)


def _items(answer: Json) -> list[Json]:
    return list(answer.get("items") or ())
