"""A change whose pods the namespace refuses is blocked before anybody is asked, or ends at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster import Rule
from runbook.actions.catalogue import ActionOutcome, undo_of
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.incidents.open_pages import open_pages
from tasks.actions.unfinished_rollout import tell_of_unfinished_rollout
from tests.blocks.cluster_world import RULES
from tests.tasks.changes import CHANGES, administer
from tests.tasks.mitigation_bench import Bench, mitigation_bench

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}
FALLBACK, MEMORY = KNOWN[ENABLE_FALLBACK.name], KNOWN[RAISE_MEMORY_LIMIT.name]


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it."""
    async with mitigation_bench(tmp_path, httpserver, patience=2) as running:
        yield running


def limit(bench: Bench, kind: str, **spec: Any) -> None:
    """The namespace has a quota or a limit range."""
    bench.world.imitation.apply({"kind": kind, "metadata": {"name": "few"}, "spec": spec})


def without_quotas() -> tuple[Rule, ...]:
    """The rights of a Role of an earlier release."""
    return tuple(rule for rule in RULES if rule.resources[0] not in ("resourcequotas", "limitranges"))


async def test_a_quota_without_room_for_the_surge_blocks_the_change(bench: Bench) -> None:
    """The update makes one pod more before it ends one; the words name the quota and what to do."""
    limit(bench, "ResourceQuota", hard={"pods": "2"})
    await bench.quiet()
    plan = await bench.preview(await FALLBACK.planned(bench.world))

    assert plan.blocked is not None
    assert "quota few has 2 of 2 pods in use" in plan.blocked
    assert "Have the quota raised" in plan.blocked


async def test_a_limit_range_below_the_new_limit_blocks_the_change(bench: Bench) -> None:
    """No pod with that limit would ever be made."""
    limits = [{"type": "Container", "max": {"memory": "300Mi"}}]
    limit(bench, "LimitRange", limits=limits)
    plan = await bench.preview(await MEMORY.planned(bench.world))

    assert plan.blocked is not None
    assert "LimitRange few lets a container have 300Mi of memory, and app would have 512Mi" in plan.blocked


async def test_a_role_that_may_not_list_quotas_stops_nothing(bench: Bench) -> None:
    """The person who approves reads that nobody has looked."""
    bench.world.restrict(*without_quotas())
    plan = await bench.preview(await FALLBACK.planned(bench.world))

    assert plan.blocked is None
    assert any("quotas and limit ranges could not be read" in line for line in plan.affects)
    assert any("a node must have room for one more pod" in line for line in plan.affects)


async def test_a_quota_that_fills_after_the_yes_ends_the_rollout_at_once(bench: Bench) -> None:
    """The object says why; the reason is told, not that it did not finish in time."""
    bench.world.restrict(*without_quotas())
    action = await FALLBACK.planned(bench.world)
    await bench.quiet()
    decision = await bench.approve(action)
    limit(bench, "ResourceQuota", hard={"pods": "2"})
    plan = await bench.preview(action)
    result = await bench.make(plan, decision)

    assert result is not None
    assert result.outcome is ActionOutcome.NOT_RECOVERED
    assert "the rollout failed: FailedCreate" in result.detail
    assert "exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2" in result.detail


async def test_an_undo_is_not_stopped_by_a_quota(bench: Bench) -> None:
    """The field is put back even where its pods have to wait for room."""
    action = await FALLBACK.planned(bench.world)
    await bench.quiet()
    decision = await bench.approve(action)
    result = await bench.make(await bench.preview(action), decision)
    assert result is not None
    await bench.quiet()
    limit(bench, "ResourceQuota", hard={"pods": "2"})
    administer(bench.world, env=[{"name": "LOG_LEVEL", "value": "debug"}])
    undo = await bench.preview(undo_of(action))

    assert undo.blocked is None
    assert any("quota few" in line for line in undo.affects)


async def test_a_half_rollout_is_told_before_the_incident_ends(bench: Bench) -> None:
    """What the incident began and the namespace refuses is a person's; a rollout that is complete is not."""
    action = await KNOWN[RESTART_DEPLOYMENT.name].planned(bench.world)
    await bench.quiet()
    decision = await bench.approve(action)
    plan = await bench.preview(action)
    await tell_of_unfinished_rollout(bench.incident)
    assert await bench.escalations() == []

    bench.world.restrict(*without_quotas())
    limit(bench, "ResourceQuota", hard={"pods": "2"})
    result = await bench.make(plan, decision)
    assert result is not None
    assert result.outcome is ActionOutcome.NOT_RECOVERED
    await tell_of_unfinished_rollout(bench.incident)

    (told,) = await bench.escalations()
    assert "the rollout of default/deployment/posthog-integration is not complete: FailedCreate" in told
    assert "exceeded quota: few" in told
    assert open_pages(await bench.incident.read()) == {1}  # the end of the incident does not end the call
