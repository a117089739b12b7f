"""The hands of a responder in a simulated world: what they change and what they see."""

import asyncio
import base64
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from deployments.drill.run.scenario import load_scenario
from deployments.drill.world.world import World

VISIBLE_WITHIN_SECONDS = 3.0
CURED_WITHIN_SECONDS = 2.0
GRACE_SECONDS = 4.0
"""What a loaded machine may add to either."""


class Hands:
    """What a responder can do to a world and see of it."""

    def __init__(self, world: World, cluster: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
        self.world = world
        self.at = world.endpoints
        self.cluster = cluster
        self.client = client

    async def patch_deployment(self, *, env: dict[str, str] | None = None, restart: bool = False) -> None:
        """Set environment variables, or restart, as kubectl does."""
        template: dict[str, Any] = {"spec": {}}
        if env:
            variables = [{"name": name, "value": value} for name, value in env.items()]
            template["spec"] = {"containers": [{"name": self.at.container, "env": variables}]}
        if restart:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            template["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": stamp}}
        path = f"/apis/apps/v1/namespaces/default/deployments/{self.at.deployment}"
        await self._patch(path, {"spec": {"template": template}}, "strategic-merge")

    async def patch_secret(self, key: str) -> None:
        """Write a new project key into the secret."""
        data = {self.at.secret_key: base64.b64encode(key.encode()).decode()}
        path = f"/api/v1/namespaces/default/secrets/{self.at.secret_name}"
        await self._patch(path, {"data": data}, "merge")

    async def _patch(self, path: str, body: dict[str, Any], kind: str) -> None:
        headers = {"Content-Type": f"application/{kind}-patch+json"}
        answer = await self.cluster.patch(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text

    async def roll_back(self) -> None:
        """Return to the first revision's template."""
        sets = (await self.cluster.get("/apis/apps/v1/namespaces/default/replicasets")).json()["items"]
        annotation = "deployment.kubernetes.io/revision"
        (first,) = [one for one in sets if one["metadata"]["annotations"][annotation] == "1"]
        template = first["spec"]["template"]
        del template["metadata"]["labels"]["pod-template-hash"]
        patch = [{"op": "replace", "path": "/spec/template", "value": template}]
        path = f"/apis/apps/v1/namespaces/default/deployments/{self.at.deployment}"
        headers = {"Content-Type": "application/json-patch+json"}
        assert (await self.cluster.patch(path, json=patch, headers=headers)).status_code == 200

    async def state(self) -> dict[str, Any]:
        """Ask the control server what is true."""
        found: dict[str, Any] = (await self.client.get(f"{self.at.control_url}/state")).json()
        return found

    async def errors(self) -> dict[str, float]:
        """Return the failing calls a second by status, over the last two seconds."""
        found: dict[str, float] = (await self.state())["integration"]["per_second"]["errors"]
        return found

    async def health(self) -> httpx.Response:
        """Ask the integration for its health."""
        return await self.client.get(f"{self.at.integration_url}/health")

    async def rates(self, window: str = "3s") -> dict[str, float]:
        """Ask Prometheus for the error rates by status; those at zero are left out."""
        query = f"sum by (status) (rate(posthog_errors_total[{window}]))"
        answer = await self.client.get(f"{self.at.prometheus_url}/api/v1/query", params={"query": query})
        found = {one["metric"]["status"]: float(one["value"][1]) for one in answer.json()["data"]["result"]}
        return {status: rate for status, rate in found.items() if rate > 0}

    async def logs(self) -> str:
        """Read the logs of all pods."""
        names = [pod["name"] for pod in (await self.state())["pods"]]
        texts = [
            (await self.cluster.get(f"/api/v1/namespaces/default/pods/{name}/log")).text for name in names
        ]
        return "\n".join(texts)


@asynccontextmanager
async def hands_on(name: str, state: Path, *, real: bool = False) -> AsyncIterator[Hands]:
    """Run the scenario's world and give hands for it."""
    async with World(load_scenario(name), state, real_prometheus=real) as world:
        config = yaml.safe_load(world.endpoints.kubeconfig.read_text())
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
        trusting = ssl.create_default_context(cadata=authority.decode())
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        async with (
            httpx.AsyncClient(
                base_url=world.endpoints.kubernetes_url, headers=headers, verify=trusting
            ) as cluster,
            httpx.AsyncClient(timeout=10) as client,
        ):
            yield Hands(world, cluster, client)


async def within(seconds: float, true: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until ``true``, at most ``seconds`` and what a loaded machine may add."""
    deadline = time.monotonic() + seconds + GRACE_SECONDS
    while not await true():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def visible(hands: Hands, *statuses: str) -> None:
    """Wait until metrics and logs show exactly these failing statuses."""

    async def shown() -> bool:
        return set(await hands.rates()) == set(statuses)

    await within(VISIBLE_WITHIN_SECONDS, shown, f"Prometheus shows {statuses}")
    logs = await hands.logs()
    assert all(f"ERROR posthog request failed status={status}" in logs for status in statuses)


async def cured(hands: Hands, *, after: float = CURED_WITHIN_SECONDS) -> None:
    """Wait until no call has failed for two seconds and the service is healthy."""

    async def well() -> bool:
        return not await hands.errors() and (await hands.health()).json()["status"] == "healthy"

    # The window of the rates is two seconds, so errors that stop are gone from it two seconds later.
    await within(after + 2, well, "the errors stop")
