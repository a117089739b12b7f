"""Reading the workload: its object, its pods, its revisions, its rollout and its disruption budgets."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.client import AppsV1Api, CoreV1Api, PolicyV1Api

from blocks.kubernetes.access.connection import ClusterClient, Json, items_of
from blocks.kubernetes.access.errors import SYSTEM, Request
from blocks.kubernetes.access.permissions import WORKLOADS, WorkloadKind
from blocks.kubernetes.budgets import budgets_of
from blocks.kubernetes.objects import rollouts_of
from blocks.kubernetes.pods import WorkloadPods, failing_containers, pods_of
from blocks.kubernetes.revisions import Revision, mark_of, revisions
from blocks.kubernetes.rollout import deployment_status, finished_before, stateful_set_status
from blocks.transport.errors import NotFound
from runbook.checks.readings import Rollout
from runbook.kubernetes.rollouts import RolloutStatus

_READ: Mapping[WorkloadKind, Callable[..., Any]] = {
    "Deployment": AppsV1Api.read_namespaced_deployment,
    "StatefulSet": AppsV1Api.read_namespaced_stateful_set,
}


@dataclass(frozen=True)
class Workload:
    """Reading the workload.

    Each method raises `Unavailable` where the cluster does not answer and `Refused` where it does not let us
    look, or where there is no such object.
    """

    client: ClusterClient

    async def read(self) -> Json:
        """The Deployment, or the StatefulSet, as the API gives it."""
        settings = self.client.settings
        send = _READ[settings.workload_kind]
        return await self.client.ask(
            Request("get", WORKLOADS[settings.workload_kind], settings.workload_name),
            lambda client: send(AppsV1Api(client), settings.workload_name, **self.client.namespaced),
        )

    async def pods(self) -> list[Json]:
        """The pods of the selector, terminating ones too."""
        return items_of(
            await self.client.ask(
                Request("list", "pods"),
                lambda client: CoreV1Api(client).list_namespaced_pod(
                    label_selector=self.client.settings.selector,
                    **self.client.namespaced,
                ),
            )
        )

    async def revisions(self) -> list[Json]:
        """The objects that hold the revisions: ReplicaSets, or a StatefulSet's ControllerRevisions."""
        if self.client.settings.workload_kind == "Deployment":
            return await self.replica_sets()
        return items_of(
            await self.client.ask(
                Request("list", "controllerrevisions"),
                lambda client: AppsV1Api(client).list_namespaced_controller_revision(
                    label_selector=self.client.settings.selector,
                    **self.client.namespaced,
                ),
            )
        )

    async def replica_sets(self) -> list[Json]:
        """The ReplicaSets of the selector; a StatefulSet has none."""
        if self.client.settings.workload_kind != "Deployment":
            return []
        return items_of(
            await self.client.ask(
                Request("list", "replicasets"),
                lambda client: AppsV1Api(client).list_namespaced_replica_set(
                    label_selector=self.client.settings.selector,
                    **self.client.namespaced,
                ),
            )
        )

    async def disruption_budgets(self) -> list[Json]:
        """The PodDisruptionBudgets that count the workload's pods.

        A pod that is deleted is not asked whether its budget allows it: whoever deletes one looks here first.

        Raises:
            NotFound: the cluster is older than Kubernetes 1.21 and has no policy/v1.
        """
        try:
            answer, pods = await asyncio.gather(
                self.client.ask(
                    Request("list", "poddisruptionbudgets"),
                    lambda client: PolicyV1Api(client).list_namespaced_pod_disruption_budget(
                        **self.client.namespaced
                    ),
                ),
                self.pods(),
            )
        except NotFound as error:
            older = "Its policy/v1 came with Kubernetes 1.21: check with kubectl get pdb"
            raise NotFound(SYSTEM, error.detail, older) from None
        return budgets_of(pods, items_of(answer))

    async def own_pods(self) -> tuple[Json, list[Revision], WorkloadPods]:
        """The workload, its revisions, and which of the selector's pods are its own living ones."""
        workload, pods, items = await asyncio.gather(self.read(), self.pods(), self.revisions())
        own = revisions(workload, items)
        return workload, own, pods_of(workload, own, pods)

    async def rollout_status(self) -> RolloutStatus:
        """How far the newest rollout is."""
        return self.rollout_of(*await self.own_pods())

    async def rollout_under_way(self) -> Rollout | None:
        """The newest revision under way; `None` once that is over, waits for people, or its pods fail."""
        workload, own, pods = await self.own_pods()
        status = self.rollout_of(workload, own, pods)
        if not own or status.state != "progressing" or status.waits_for or finished_before(workload):
            return None
        if any(failing_containers(pod) for pod in pods.living if mark_of(pod) == own[-1].mark):
            return None
        return rollouts_of(workload, own, self.client.settings.container)[-1]

    def rollout_of(self, workload: Json, own: Sequence[Revision], pods: WorkloadPods) -> RolloutStatus:
        """How far the newest rollout is, in what was read of the workload."""
        if self.client.settings.workload_kind == "StatefulSet":
            return stateful_set_status(workload, pods.living)
        return deployment_status(workload, pods.living, own[-1].mark if own else "")
