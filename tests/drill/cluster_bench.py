"""A served cluster with one deployment, and clients for it: what the cluster's tests work with."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deployments.drill.cluster import ADMIN, Cluster, ServedCluster, kubeconfig, serve

APP = "posthog-integration"
LABELS = {"app": APP}
ADMIN_TOKEN = "token-of-the-administrator"
PODS = "/api/v1/namespaces/default/pods"
SECRET = "/api/v1/namespaces/default/secrets/posthog-secrets"
SECRETS = "/api/v1/namespaces/default/secrets"
DEPLOYMENT = f"/apis/apps/v1/namespaces/default/deployments/{APP}"
STATEFUL_SET = "/apis/apps/v1/namespaces/default/statefulsets/queue"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
STRATEGIC, MERGE, JSON_PATCH = (
    f"application/{name}+json" for name in ("strategic-merge-patch", "merge-patch", "json-patch")
)


def container(name: str = "app", **fields: Any) -> dict[str, Any]:
    """A container that reads its key from the secret."""
    key = {
        "name": "POSTHOG_API_KEY",
        "valueFrom": {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}},
    }
    limits = {"limits": {"memory": "256Mi"}}
    return {"name": name, "image": "integration:1", "env": [key], "resources": limits, **fields}


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The deployment under test; `spec` overrides fields of its spec."""
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": list(containers) or [container()]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": APP, "labels": LABELS},
        "spec": {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template, **spec},
    }


def stateful_set(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A StatefulSet of three pods, `queue-0` to `queue-2`, with the deployment's labels."""
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": list(containers) or [container()]}}
    selector = {"matchLabels": LABELS}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "queue", "labels": LABELS},
        "spec": {"replicas": 3, "serviceName": "queue", "selector": selector, "template": template, **spec},
    }


def budget(**spec: Any) -> dict[str, Any]:
    """A PodDisruptionBudget for the pods with these labels; `spec` says how many."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "queue"},
        "spec": {"selector": {"matchLabels": LABELS}, **spec},
    }


def env_patch(name: str, value: str | None) -> dict[str, Any]:
    """The strategic merge patch of `kubectl set env`; None removes the variable."""
    variable = {"name": name, "$patch": "delete"} if value is None else {"name": name, "value": value}
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": [variable]}]}}}}


@dataclass
class Bench:
    """A cluster that is served and runs, with an administrator's HTTP client."""

    cluster: Cluster
    served: ServedCluster
    http: httpx.AsyncClient

    async def until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until something holds. Raises TimeoutError after the deadline."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - the state of a cluster has no event to wait for
                await asyncio.sleep(0.005)

    def complete(self) -> bool:
        """Whether the deployment's rollout is finished, by the rules of `kubectl rollout status`."""
        found = self.cluster.get("Deployment", APP)
        status, replicas = found["status"], found["spec"]["replicas"]
        counts = [status.get(each, 0) for each in ("updatedReplicas", "replicas", "availableReplicas")]
        return (
            status.get("observedGeneration") == found["metadata"]["generation"] and counts == [replicas] * 3
        )

    def ordered(self) -> bool:
        """Whether the StatefulSet's rollout is finished, by the rules of `kubectl rollout status`."""
        found = self.cluster.get("StatefulSet", "queue")
        status, replicas = found["status"], found["spec"]["replicas"]
        return bool(
            status.get("observedGeneration") == found["metadata"]["generation"]
            and status.get("readyReplicas", 0) == status["replicas"] == replicas
            and status["currentRevision"] == status["updateRevision"]
        )

    def reason(self) -> str:
        """The reason of the deployment's Progressing condition."""
        conditions = self.cluster.get("Deployment", APP)["status"].get("conditions", [])
        return next((each["reason"] for each in conditions if each["type"] == "Progressing"), "")

    def waiting_reasons(self) -> set[str]:
        """Why containers wait, over all pods."""
        statuses = [
            s for pod in self.cluster.objects("Pod") for s in pod["status"].get("containerStatuses", [])
        ]
        return {status["state"]["waiting"]["reason"] for status in statuses if "waiting" in status["state"]}

    def events(self, reason: str) -> list[dict[str, Any]]:
        """The events with a reason."""
        return [event for event in self.cluster.objects("Event") if event["reason"] == reason]

    async def until_watched(self) -> None:
        """Wait until a watch has begun."""
        await self.until(lambda: any("watch" in request.query for request in self.cluster.requests))

    async def patch(self, path: str, body: Any, kind: str = STRATEGIC, **query: str) -> httpx.Response:
        """Send a patch of a kind."""
        return await self.http.patch(path, json=body, params=query, headers={"content-type": kind})

    def kubeconfig(self, folder: Path, token: str = ADMIN_TOKEN) -> Path:
        """A kubeconfig file for a token."""
        path = folder / "kubeconfig"
        text = kubeconfig(self.served.url, self.served.ca_pem, token, self.cluster.namespace)
        path.write_text(text)
        return path


@asynccontextmanager
async def bench(cluster: Cluster | None = None, *manifests: dict[str, Any]) -> AsyncIterator[Bench]:
    """A running cluster with the secret and the manifests, or with the usual deployment, rolled out."""
    cluster = cluster or Cluster(pod_start_seconds=0.05, pod_stop_seconds=0.05, crash_backoff_seconds=0.2)
    cluster.grant("admin", ADMIN_TOKEN, [ADMIN])
    cluster.apply(
        {"kind": "Secret", "metadata": {"name": "posthog-secrets"}, "stringData": {"api-key": "phc_old"}}
    )
    for manifest in manifests or [deployment()]:
        cluster.apply(manifest)
    running = asyncio.create_task(cluster.run())
    try:
        async with serve(cluster) as served:
            trust = ssl.create_default_context(cadata=served.ca_pem)
            headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
            async with httpx.AsyncClient(base_url=served.url, verify=trust, headers=headers) as http:
                made = Bench(cluster, served, http)
                if not manifests:
                    await made.until(made.complete)
                yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
