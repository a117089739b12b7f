"""The imitated cluster with the integration in it, for the tests of the Cluster block."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from blocks.kubernetes.access.permissions import AccessLevel, WorkloadKind, needed_permissions, up_to
from blocks.kubernetes.cluster import Cluster
from deployments.drill.cluster import Cluster as ImitatedCluster
from deployments.drill.cluster import Rule, kubeconfig, serve
from runbook.kubernetes.rollouts import RolloutStatus

TOKEN = "token-of-the-runbook"
KEY = "phc_" + "k" * 43
LABELS = {"app": "posthog-integration"}
USER = "system:serviceaccount:default:runbook"


def rules(kind: WorkloadKind = "Deployment", access: AccessLevel = "full") -> tuple[Rule, ...]:
    """Exactly the rights that the runbook needs for a level of access, a rule for each."""
    table = needed_permissions(kind, "posthog-integration", "posthog-secrets")
    return tuple(
        Rule((each.verb,), (each.group,), (each.resource,), (each.name,) if each.name else ())
        for level in up_to(access)
        for each in table[level]
    )


RULES = rules()
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "posthog-secrets", "namespace": "default"},
    "type": "Opaque",
    "data": {"api-key": base64.b64encode(KEY.encode()).decode()},
}


def deployment(image: str = "registry.example/integration:1", **spec: Any) -> dict[str, Any]:
    """The integration's Deployment."""
    app = {
        "name": "app",
        "image": image,
        "env": [
            {"name": "POSTHOG_FALLBACK", "value": "false"},
            {"name": "LOG_LEVEL", "value": "info"},
            {
                "name": "POSTHOG_API_KEY",
                "valueFrom": {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}},
            },
        ],
        "resources": {"limits": {"memory": "256Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "posthog-integration", "namespace": "default", "labels": LABELS},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"containers": [app, {"name": "proxy", "image": "registry.example/proxy:1"}]},
            },
            **spec,
        },
    }


def stateful_set(image: str = "registry.example/integration:1", **spec: Any) -> dict[str, Any]:
    """The integration as a StatefulSet of three pods."""
    manifest = deployment(image, **{"replicas": 3, "serviceName": "posthog-integration", **spec})
    return {**manifest, "kind": "StatefulSet"}


@dataclass
class ClusterWorld:
    """The imitation, and a block that speaks to it."""

    imitation: ImitatedCluster
    block: Cluster
    url: str
    ca_pem: str
    others: list[Cluster] = field(default_factory=list)

    def block_with(self, token: str = TOKEN, **settings: Any) -> Cluster:
        """A block with other settings."""
        text = kubeconfig(self.url, self.ca_pem, token, "default")
        kind = {"workload_kind": self.block.workload_kind}
        return self.block_of(**{"kubeconfig_yaml": SecretStr(text), **kind, **settings})

    def block_of(self, **settings: Any) -> Cluster:
        """A block with credentials of the test's own."""
        block = Cluster(**{"timeout_seconds": 5, **settings})
        self.others.append(block)
        return block

    def restrict(self, *rules: Rule) -> None:
        """From now on the runbook has these rights only."""
        self.imitation.grant(USER, TOKEN, rules)

    def asked(self, method: str) -> list[str]:
        """The paths of all requests with this method so far."""
        return [each.path for each in self.imitation.requests if each.method == method]

    def pod_names(self) -> list[str]:
        """The running pods."""
        return sorted(pod.name for pod in self.imitation.pods(LABELS))

    async def restarted(self, name: str) -> None:
        """Wait until the pod's container runs again after its end."""
        while True:
            pods = {pod.name: pod for pod in self.imitation.pods(LABELS)}
            if name in pods and pods[name].restarts and pods[name].ready:
                return
            await asyncio.sleep(0.02)  # the kubelet has no event to wait for either

    async def until(self, *states: str) -> RolloutStatus:
        """Wait until the rollout is in one of these states; the test's own time limit ends it."""
        while True:
            status = await self.block.workload.rollout_status()
            if status.state in states:
                return status
            await asyncio.sleep(0.05)  # a rollout has no event to wait for through the block


@contextlib.asynccontextmanager
async def cluster_world(
    workload: dict[str, Any] | None = None,
    *,
    rules: Sequence[Rule] = RULES,
    pod_stop_seconds: float = 0.05,
) -> AsyncIterator[ClusterWorld]:
    """A running cluster with the integration rolled out, by default as a Deployment."""
    workload = workload or deployment()
    imitation = ImitatedCluster(
        pod_start_seconds=0.05, pod_stop_seconds=pod_stop_seconds, crash_backoff_seconds=0.1
    )
    imitation.grant(USER, TOKEN, rules)
    imitation.apply(SECRET)
    imitation.apply(workload)
    running = asyncio.create_task(imitation.run())
    try:
        async with serve(imitation) as served:
            block = Cluster(
                kubeconfig_yaml=SecretStr(kubeconfig(served.url, served.ca_pem, TOKEN, "default")),
                workload_kind=workload["kind"],
                timeout_seconds=5,
            )
            world = ClusterWorld(imitation, block, served.url, served.ca_pem)
            await world.until("complete")
            yield world
            for each in (block, *world.others):
                each.client.disconnect()  # a server waits for its clients to hang up
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
