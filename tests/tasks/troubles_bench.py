"""Every change of the catalogue, approved, and the trouble that it can be brought into."""

import base64
import copy
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from pytest_httpserver import HTTPServer

from deployments.drill.cluster.faults import Fault
from flows.action import take_action
from runbook.actions.by_hand import Target
from runbook.actions.catalogue import ActionResult, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY as REPLACE_API_KEY_SPEC
from runbook.actions.specs.request_queue import DISABLE_REQUEST_QUEUE, ENABLE_REQUEST_QUEUE
from runbook.actions.specs.scale import SCALE
from runbook.kubernetes.patches import RESTART_ANNOTATION
from tests.tasks.changes import (
    CHANGES,
    DELETE_POD,
    REPLACE_API_KEY,
    SECOND_REQUEST,
    SECRET,
    KnownChange,
    administer,
)
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key

SWITCHES = (
    DISABLE_FALLBACK.name,
    ENABLE_REQUEST_QUEUE.name,
    DISABLE_REQUEST_QUEUE.name,
)
"""One more variable of the pod template each; enabling the fallback takes the same way."""
SET_FIELDS = (*SWITCHES, RAISE_MEMORY_LIMIT.name, SCALE.name)
"""One request with one field each, of which a disturbance says the same."""


def each(changes: Iterable[KnownChange], *, twins: Iterable[ActionName] = SWITCHES) -> list[Any]:
    """The changes as a test's parameters; `make test-slow` has those that take another's way."""
    return [
        pytest.param(
            change,
            id=change.name if change is not SECOND_REQUEST else "replace_api_key's restart",
            marks=[pytest.mark.slow] if change.name in twins else [],
        )
        for change in changes
    ]


ALL = pytest.mark.parametrize("change", each(CHANGES))
TAKEN_BACK = pytest.mark.parametrize("change", each(change for change in CHANGES if change.taken_back))

BY_HAND = Target(
    namespace="default",
    kind="deployment",
    name="posthog-integration",
    container="app",
    secret_name="posthog-secrets",
    secret_key="api-key",
)
"""What a person's commands are about."""

PATIENCE_SECONDS = 3.0
"""How long the Cluster block waits for an answer."""


@asynccontextmanager
async def benched(
    folder: Path, httpserver: HTTPServer, change: KnownChange, **policy: Any
) -> AsyncIterator[tuple[Bench, PlannedAction]]:
    """A bench on which the change is possible, previewed and approved."""
    if change.name == REPLACE_API_KEY_SPEC.name:
        policy["replacement_key_block"] = await save_replacement_key()
    async with mitigation_bench(folder, httpserver, patience=PATIENCE_SECONDS, **policy) as bench:
        action = await change.planned(bench.world)
        await bench.quiet()
        await bench.approve(action)
        assert change.shows(bench.world) == change.before
        yield bench, action


def drift(bench: Bench, change: KnownChange, action: PlannedAction) -> str:
    """Somebody else changes what the approval relies on; returns what people should read about it."""
    if change is REPLACE_API_KEY:
        note = {"note": base64.b64encode(b"by hand").decode()}
        bench.world.imitation.apply({"kind": "Secret", "metadata": {"name": SECRET}, "data": note})
        return "Secret has changed (its values are masked)"
    if change is DELETE_POD:
        bench.world.imitation.set_ready(action.parameters["pod"], True)
        return "it is no longer possible: pod"
    administer(bench.world, env=[{"name": "LOG_LEVEL", "value": "debug"}])
    return "value: debug"


async def ended_or_asked(bench: Bench, action: PlannedAction) -> ActionResult | None:
    """Take the action in a flow run. One without a deployment cannot suspend: it fails where it has asked."""

    @flow(name="take an action", validate_parameters=False)
    async def taking() -> ActionResult:
        return await take_action(bench.incident, action)

    try:
        return await taking()
    except RuntimeError as error:
        if "cannot be suspended" not in str(error):
            raise
        return None


async def no_success(bench: Bench) -> None:
    """The integration stays ill whatever is done, and its pods die now and then."""
    bench.signals.mood = "ill"
    pod = bench.world.pod_names()[-1]
    bench.world.imitation.terminate(pod, reason="OOMKilled", exit_code=137)
    await bench.world.restarted(pod)
    await bench.quiet()


def without_restarts(template: dict[str, Any]) -> dict[str, Any]:
    """The template but for its restarts, and for where a variable stands that was taken away and put back."""
    found = copy.deepcopy(template)
    found["metadata"].setdefault("annotations", {}).pop(RESTART_ANNOTATION, None)
    for container in found["spec"]["containers"]:
        container["env"] = sorted(container.get("env", []), key=lambda item: str(item["name"]))
    return found


def disturb(bench: Bench, change: KnownChange, fault: dict[str, Any] | None, *, after: int = 1) -> None:
    """The change's request meets the fault, after so many like it that go well (dry runs among them)."""
    method, path = change.request
    for meets in ({"times": after}, fault or {}):
        bench.world.imitation.faults.append(Fault(path=path, method=method, **meets))
