"""What is read of the cluster: the workload, its pods, revisions, logs and budgets, and the Secret."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes.client import AppsV1Api, CoreV1Api, PolicyV1Api
from pydantic import SecretStr

from blocks.errors import Forbidden, NotFound, Refused, Unavailable
from blocks.kubernetes_budgets import budgets_of
from blocks.kubernetes_connection import ClusterConnection, Json
from blocks.kubernetes_errors import SYSTEM, Request
from blocks.kubernetes_logs import LogSource, LogText, LogWindow, log_sources, pod_logs, read_log
from blocks.kubernetes_objects import UnknownContainer, warning_lines, workload_reading
from blocks.kubernetes_permissions import WORKLOADS, WorkloadKind
from blocks.kubernetes_revisions import revisions
from blocks.kubernetes_rollout import RolloutStatus, deployment_status, stateful_set_status
from runbook.log_lines import PodLogs
from runbook.readings import WorkloadReading

_LOGS_AT_ONCE = 6

_READ: Mapping[WorkloadKind, Callable[..., Any]] = {
    "Deployment": AppsV1Api.read_namespaced_deployment,
    "StatefulSet": AppsV1Api.read_namespaced_stateful_set,
}


@dataclass(frozen=True)
class SecretKeys:
    """The keys of a Secret with their values, and the resourceVersion that they have."""

    version: str
    values: Mapping[str, SecretStr]


class ClusterReads(ClusterConnection):
    """Everything that only looks.

    Each method raises `Unavailable` where the cluster does not answer and `Refused` where it does not let us
    look, or where there is no such object.
    """

    async def read_workload(self) -> WorkloadReading:
        """Replicas, pods, switches and revisions of the workload, and its newest warnings.

        Events are decoration: where they may not be read, the reading says so in their place.
        """
        workload, pods, items, events = await asyncio.gather(
            self.read_deployment(), self.list_pods(), self.list_revisions(), self._warnings()
        )
        try:
            return workload_reading(
                self.target,
                workload,
                pods=pods,
                own=revisions(workload, items),
                events=events,
                container=self.container,
                switches=self.switches,
            )
        except UnknownContainer as error:
            raise NotFound(
                SYSTEM, f"{self.target} has no container {error}", "Correct it in the Cluster block"
            ) from None

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

    async def list_events(self) -> list[Json]:
        """The namespace's events, at most 1,000; the cluster keeps them for about an hour."""
        return _items(
            await self._ask(
                Request("list", "events"),
                lambda client: CoreV1Api(client).list_namespaced_event(
                    self.namespace, limit=1000, **self._raw
                ),
            )
        )

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
            older = "Its policy/v1 came with Kubernetes 1.21: look with kubectl get pdb"
            raise NotFound(SYSTEM, error.detail, older) from None
        return budgets_of(pods, _items(answer))

    async def rollout_status(self) -> RolloutStatus:
        """How far the newest rollout is."""
        if self.workload_kind == "StatefulSet":
            return stateful_set_status(*await asyncio.gather(self.read_deployment(), self.list_pods()))
        deployment, pods, items = await asyncio.gather(
            self.read_deployment(), self.list_pods(), self.list_replica_sets()
        )
        own = revisions(deployment, items)
        return deployment_status(deployment, pods, own[-1].mark if own else "")

    async def read_logs(self, since_seconds: int) -> PodLogs:
        """All lines of all pods' containers in the last `since_seconds`, from before restarts too.

        A log that cannot be read, or not wholly, does not stop the others: `pods_unread` says why.
        """
        pods = await self.list_pods()
        since = datetime.now(UTC) - timedelta(seconds=since_seconds)
        window = LogWindow(max(1, since_seconds), self.log_bytes_limit, self.timeout_seconds)
        turn = asyncio.Semaphore(_LOGS_AT_ONCE)

        async def read(source: LogSource) -> LogText:
            async with turn:
                return await self._read_log(source, window)

        sources = [source for pod in pods for source in log_sources(pod, self.container, since=since)]
        return pod_logs(await asyncio.gather(*map(read, sources)))

    async def _read_log(self, source: LogSource, window: LogWindow) -> LogText:
        try:
            return await self._in_time(
                Request("get", "pods/log", source.pod),
                lambda: read_log(self.credentials, self.namespace, source, window),
            )
        except Unavailable as error:
            return LogText(source, missing=error.detail)

    async def read_api_key(self, key: str | None = None) -> SecretStr | None:
        """The API key in the Secret (or another key's value); `None` where the Secret does not have it.

        It is given as it is, white space and all: a stray line break is a finding.
        """
        try:
            secret = await self._read_secret()
        except NotFound:
            return None
        encoded = (secret.get("data") or {}).get(key or self.secret_key)
        return None if encoded is None else self._decoded(encoded)

    async def read_secret_keys(self) -> SecretKeys:
        """All keys of the Secret, as they were at one time."""
        secret = await self._read_secret()
        data = secret.get("data") or {}
        return SecretKeys(
            version=str(secret["metadata"]["resourceVersion"]),
            values={name: self._decoded(value) for name, value in data.items()},
        )

    async def read_secret_version(self) -> str:
        """The Secret's resourceVersion, which changes with every write."""
        return str((await self._read_secret())["metadata"]["resourceVersion"])

    def _decoded(self, encoded: str) -> SecretStr:
        try:
            return SecretStr(base64.b64decode(encoded, validate=True).decode("utf-8", errors="replace"))
        except binascii.Error:
            raise Refused(SYSTEM, f"{self.secret_name} is not base64", "Write the Secret again") from None

    async def _read_secret(self) -> Json:
        return await self._ask(
            Request("get", "secrets", self.secret_name),
            lambda client: CoreV1Api(client).read_namespaced_secret(
                self.secret_name, self.namespace, **self._raw
            ),
        )

    async def _warnings(self) -> tuple[str, ...]:
        try:
            return warning_lines(await self.list_events(), self.deployment)
        except Forbidden as error:
            return (f"events were not read: {error.detail}",)


def _items(answer: Json) -> list[Json]:
    return list(answer.get("items") or ())
