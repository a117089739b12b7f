"""A rollout that somebody has begun is left to finish: it may be the very fix."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from tests.blocks.cluster_world import stateful_set
from tests.tasks.changes import DEPLOYMENT
from tests.tasks.mitigation_bench import Bench, mitigation_bench, stop_controllers, until

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

FIX, BAD = "registry.example/integration:4", "registry.example/integration:2"

WAITS = "revision 2 is being rolled out, which may be a fix: the runbook decides again"


@pytest.fixture(params=["Deployment", "StatefulSet"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, httpserver: HTTPServer
) -> AsyncIterator[Bench]:
    """A workload of either kind at its first revision."""
    manifest = stateful_set() if request.param == "StatefulSet" else None
    async with mitigation_bench(tmp_path, httpserver, manifest=manifest) as running:
        running.world.imitation.image_faults[BAD] = "CrashLoopBackOff"
        yield running


def action_of(bench: Bench, name: ActionName, **parameters: str) -> PlannedAction:
    """The action, planned by a triage that saw the pods of the revision before."""
    target = bench.world.block.target
    return PlannedAction(id=f"2-{name}", name=name, target=target, because="a test", parameters=parameters)


def actions(bench: Bench) -> list[PlannedAction]:
    """The changes that a rollout under way makes needless, or that would disturb it."""
    found = [
        action_of(bench, RESTART_DEPLOYMENT.name),
        action_of(bench, RAISE_MEMORY_LIMIT.name, memory="512Mi", container="app"),
    ]
    if bench.world.block.workload_kind == "Deployment":  # a StatefulSet's rollout waits for its stuck pods
        found.append(action_of(bench, DELETE_POD.name, pod=bench.world.pod_names()[0]))
    return found


async def deploy(bench: Bench, image: str) -> None:
    """Somebody deploys; returns once the newest revision has its first pod."""
    template: dict[str, Any] = {"spec": {"containers": [{"name": "app", "image": image}]}}
    kind = bench.world.block.workload_kind
    manifest = {"kind": kind, "metadata": {"name": DEPLOYMENT}, "spec": {"template": template}}
    bench.world.imitation.apply(manifest)
    await until(lambda: any(runs(pod, image) for pod in bench.world.imitation.objects("Pod")), "its pod")


def runs(pod: dict[str, Any], image: str) -> bool:
    """Whether the pod is of this image."""
    return any(item["image"] == image for item in pod["spec"]["containers"])


async def hang(bench: Bench) -> None:
    """No pod answers any more; no container ends. Of a StatefulSet, no rollout would begin then."""
    for pod in bench.world.pod_names() if bench.world.block.workload_kind == "Deployment" else ():
        bench.world.imitation.set_ready(pod, False)
    await bench.quiet()


async def test_nothing_replaces_a_rollout_that_is_under_way(bench: Bench) -> None:
    """Nobody is asked or called, and the runbook decides again after the rollout."""
    await hang(bench)
    planned = actions(bench)
    await deploy(bench, FIX)
    await stop_controllers()

    for number, action in enumerate(planned, start=1):
        result = await bench.take(action)
        assert (result.outcome, result.outdated) == (ActionOutcome.BLOCKED, True), action.name
        assert result.detail == WAITS
        assert (await bench.incident.read()).round == 1 + number
    assert bench.writes() == []
    assert await bench.escalations() == []


async def test_a_rollout_after_the_yes_keeps_the_restart_from_being_made(bench: Bench) -> None:
    """A person said yes to a restart of what ran then."""
    await hang(bench)
    restart = action_of(bench, RESTART_DEPLOYMENT.name)
    await bench.approve(restart)
    await deploy(bench, FIX)
    await stop_controllers()

    result = await bench.take(restart)
    assert (result.outcome, result.outdated) == (ActionOutcome.BLOCKED, True)
    assert bench.writes() == []


async def test_a_rollout_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """After the rollout deadline people are asked about a restart."""
    async with mitigation_bench(tmp_path, httpserver, rollout_deadline_seconds=0.5) as bench:
        await hang(bench)
        await deploy(bench, FIX)
        await stop_controllers()
        await asyncio.sleep(2)  # times of the cluster are whole seconds

        plan = await bench.preview(action_of(bench, RESTART_DEPLOYMENT.name))
        assert (plan.blocked, plan.outdated) == (None, False)


async def test_a_rollout_whose_own_pods_fail_is_no_fix(bench: Bench) -> None:
    """They crash, so more memory for them is asked about at once."""
    await deploy(bench, BAD)
    await bench.quiet()

    memory = action_of(bench, RAISE_MEMORY_LIMIT.name, memory="512Mi", container="app")
    plan = await bench.preview(memory)
    assert (plan.blocked, plan.outdated) == (None, False)


async def test_a_workload_that_fails_after_its_rollout_may_be_restarted_at_once(bench: Bench) -> None:
    """The deploy was a moment ago, and was complete: waiting would cure nothing."""
    await deploy(bench, FIX)
    await bench.quiet()
    await hang(bench)

    plan = await bench.preview(action_of(bench, RESTART_DEPLOYMENT.name))
    assert (plan.blocked, plan.outdated) == (None, False)
