"""A change that cannot be made is blocked with the reason; what is in place already needs none."""

from typing import Any

import pytest

from runbook.actions.catalogue import PlannedAction
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import ROLL_BACK as ROLL_BACK_SPEC
from runbook.actions.specs.scale import SCALE as SCALE_SPEC
from tests.tasks.changes import administer, container, respecify
from tests.tasks.mitigation_bench import Bench
from tests.tasks.planned_actions import action, bench

__all__ = ["bench"]  # a fixture, found here

FALLBACK, QUEUE = ENABLE_FALLBACK.name, ENABLE_REQUEST_QUEUE.name
RESTART, ROLL_BACK = RESTART_DEPLOYMENT.name, ROLL_BACK_SPEC.name
MEMORY, SCALE, DELETE = RAISE_MEMORY_LIMIT.name, SCALE_SPEC.name, DELETE_POD.name


@pytest.mark.parametrize(
    ("limit", "wanted"), [("256Mi", "256Mi"), ("1Gi", "1024Mi"), ("0.5Gi", "512Mi"), ("1073741824", "1Gi")]
)
async def test_what_is_in_place_needs_no_change(bench: Bench, limit: str, wanted: str) -> None:
    """However a quantity is written, the plan says so and sends nothing."""
    administer(bench.world, resources={"limits": {"memory": limit}})
    plan = await bench.preview(action(MEMORY, memory=wanted))
    assert plan.in_place == f"memory limit of app is {limit}"
    assert bench.changing_requests() == []


async def test_a_switch_that_is_on_needs_no_change(bench: Bench) -> None:
    """The plan says that it is in place."""
    administer(bench.world, env=[{"name": "RATE_LIMIT_MODE", "value": "queue"}])
    plan = await bench.preview(action(QUEUE))
    assert plan.in_place == "env RATE_LIMIT_MODE of app is queue"


async def test_a_pod_that_is_gone_needs_no_deletion(bench: Bench) -> None:
    """Whoever deleted it: there is nothing left to do."""
    plan = await bench.preview(action(DELETE, pod="posthog-integration-gone"))
    assert plan.in_place == "pod posthog-integration-gone is gone already"


@pytest.mark.parametrize(
    ("planned", "spec", "why"),
    [
        (action(RESTART), {"paused": True}, "paused"),
        (action(RESTART), {"replicas": 0}, "scaled to zero"),
        (action(FALLBACK), {"paused": True}, "paused"),
        (action(MEMORY, memory="512Mi"), {"paused": True}, "paused"),
        (action(ROLL_BACK), {"paused": True}, "paused"),
        (action(ROLL_BACK), {}, "no earlier revision"),
        (action(MEMORY, memory="128Mi"), {}, "128Mi is not above the present limit of 256Mi"),
        (action(MEMORY, memory="3Gi"), {}, "above the ceiling of 2Gi"),
        (action(SCALE, replicas="11"), {}, "not a number from 1 to 10"),
        (action(SCALE, replicas="0"), {}, "not a number from 1 to 10"),
    ],
    ids=lambda value: value.id if isinstance(value, PlannedAction) else None,
)
async def test_what_cannot_be_made_is_blocked_with_the_reason(
    bench: Bench, planned: PlannedAction, spec: dict[str, Any], why: str
) -> None:
    """A precondition that does not hold is found before anyone is asked, and before any request."""
    if spec:
        respecify(bench.world, **spec)
    plan = await bench.preview(planned)
    assert plan.blocked
    assert why in plan.blocked
    assert bench.changing_requests() == []


async def test_a_limit_that_is_not_there_is_not_raised(bench: Bench) -> None:
    """Whatever killed the pod, it was not the limit."""
    administer(bench.world, resources={"$patch": "replace"})
    assert "limits" not in container(bench.world).get("resources", {})
    plan = await bench.preview(action(MEMORY, memory="512Mi"))
    assert plan.blocked == "the container has no memory limit, so it was not the limit that killed it"


async def test_a_ready_pod_is_not_deleted(bench: Bench) -> None:
    """It has recovered since triage saw it."""
    (pod, _) = bench.world.pod_names()
    plan = await bench.preview(action(DELETE, pod=pod))
    assert plan.blocked == f"pod {pod} is ready again: there is nothing stuck"


async def test_a_variable_from_a_reference_is_not_overwritten(bench: Bench) -> None:
    """A switch that someone set with valueFrom is theirs."""
    reference = {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}}
    administer(bench.world, env=[{"name": "RATE_LIMIT_MODE", "valueFrom": reference}])
    plan = await bench.preview(action(QUEUE))
    assert plan.blocked
    assert "valueFrom" in plan.blocked
