"""A StatefulSet whose update stops at a broken pod, and actions taken on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prefect import flow
from pytest_httpserver import HTTPServer

from flows.action import take_action
from runbook.actions.catalogue import ActionResult, PlannedAction
from runbook.actions.spec import ActionName
from runbook.incidents.events import ApprovalRequested
from tests.blocks.cluster_world import ClusterWorld, stateful_set
from tests.tasks.mitigation_bench import Bench, mitigation_bench, until

NAME = "posthog-integration"
GOOD, BAD = "registry.example/integration:1", "registry.example/integration:2"
LAST = f"{NAME}-2"


def app(world: ClusterWorld) -> dict[str, Any]:
    """The integration's container in the live template."""
    found: dict[str, Any] = world.imitation.get("StatefulSet", NAME)["spec"]["template"]["spec"][
        "containers"
    ][0]
    return found


def specify(world: ClusterWorld, **container: Any) -> None:
    """Somebody changes the integration's container."""
    template = {"spec": {"containers": [{"name": "app", **container}]}}
    world.imitation.apply({"kind": "StatefulSet", "metadata": {"name": NAME}, "spec": {"template": template}})


def planned(name: ActionName, world: ClusterWorld, **parameters: str) -> PlannedAction:
    """An action of the plan."""
    return PlannedAction(
        id=f"1-{name.slug}", name=name, target=world.block.target, because="a test", parameters=parameters
    )


async def stuck(world: ClusterWorld, *pods: str) -> None:
    """Wait until these pods crash."""

    def crash() -> bool:
        waiting = {
            item["metadata"]["name"]
            for item in world.imitation.objects("Pod")
            for container in item["status"].get("containerStatuses", ())
            if (container["state"].get("waiting") or {}).get("reason") == "CrashLoopBackOff"
        }
        return waiting >= set(pods)

    await until(crash, f"{pods} crash")


@asynccontextmanager
async def bench_of(
    folder: Path, httpserver: HTTPServer, *, spec: dict[str, Any] | None = None, **policy: Any
) -> AsyncIterator[Bench]:
    """A StatefulSet of three pods; what does not finish is known within a second."""
    clocks: dict[str, Any] = {"rollout_deadline_seconds": 3, "success_deadline_seconds": 3, **policy}
    async with mitigation_bench(folder, httpserver, manifest=stateful_set(**(spec or {})), **clocks) as made:
        yield made


def uid_of(world: ClusterWorld, name: str) -> str:
    """The uid of the pod that has this name; empty where there is none."""
    pods = {item["metadata"]["name"]: item["metadata"]["uid"] for item in world.imitation.objects("Pod")}
    return str(pods.get(name, ""))


async def a_bad_image(bench: Bench) -> None:
    """Somebody rolls out an image that crashes: the update stops at its first pod, the highest."""
    bench.world.imitation.image_faults[BAD] = "CrashLoopBackOff"
    specify(bench.world, image=BAD)
    await stuck(bench.world, LAST)
    await bench.quiet()


async def take(bench: Bench, action: PlannedAction) -> ActionResult | None:
    """Take the action in a flow run, which fails where it has asked: no run of its own can suspend."""

    @flow(name="take an action", validate_parameters=False)
    async def taking() -> ActionResult:
        return await take_action(bench.incident, action)

    try:
        return await taking()
    except RuntimeError as error:
        if "cannot be suspended" not in str(error):
            raise
        return None


async def asked_about(bench: Bench) -> str:
    """The action that the newest question is about."""
    asked = (await bench.incident.read()).last(ApprovalRequested)
    return asked.action_id if asked else ""
