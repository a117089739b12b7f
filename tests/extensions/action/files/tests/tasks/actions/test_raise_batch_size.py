"""Larger batches: planned where a queue does not suffice, approved, made, proved; and taken back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, PlannedAction, undo_of
from runbook.actions.parameters import edited
from runbook.actions.specs.raise_batch_size import RAISE_BATCH_SIZE
from runbook.approvals.gates import InvalidAnswer
from runbook.decision.plan import make_plan
from runbook.decision.verdict import ErrorType, Verdict
from tests.runbook.findings_samples import POLICY, error_rate, triage, workload
from tests.tasks.changes import administer, variable
from tests.tasks.mitigation_bench import Bench, mitigation_bench

BATCH_SIZE = variable("POSTHOG_BATCH_SIZE")


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it."""
    async with mitigation_bench(tmp_path, httpserver, success_deadline_seconds=3) as running:
        yield running


def planned(mode: str) -> list[PlannedAction]:
    """The larger batches in the plan for 429, while RATE_LIMIT_MODE is this."""
    findings = triage(error_rate({"429": 3.0}), workload(switches={"RATE_LIMIT_MODE": mode}))
    plan = make_plan(Verdict.INTEGRATION_ISSUE, {ErrorType.RATE_LIMITED: 1.0}, findings, POLICY)
    return [action for action in plan if action.name == RAISE_BATCH_SIZE.name]


def test_batches_grow_only_where_requests_are_queued_already() -> None:
    """The queue is the runbook's first remedy."""
    assert [action.parameters for action in planned("queue")] == [{"events": "500"}]
    assert planned("direct") == []


@pytest.mark.parametrize("events", ["0", "1001", "many"])
def test_an_approver_may_not_go_beyond_the_bounds(events: str) -> None:
    """PostHog takes so many events in a request, and no more."""
    (action,) = planned("queue")
    with pytest.raises(InvalidAnswer, match="is not a number from 1 to 1000"):
        edited(action, {"events": events}, policy=POLICY)


@pytest.mark.real
@pytest.mark.usefixtures("engineless")
async def test_an_incident_raises_the_batch_size_and_proves_it(bench: Bench) -> None:
    """Previewed, approved as it is shown, made, and proved by the rate of 429."""
    (action,) = planned("queue")
    action = action.model_copy(update={"target": bench.world.block.target})
    plan = await bench.preview(action)
    assert "+        - name: POSTHOG_BATCH_SIZE" in plan.diff
    assert BATCH_SIZE(bench.world) is None

    await bench.approve(action)
    result = await bench.take(action)

    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert "429 - rate limited" in result.detail
    assert BATCH_SIZE(bench.world) == "500"


@pytest.mark.real
@pytest.mark.usefixtures("engineless")
async def test_a_batch_size_that_does_not_help_is_taken_back(bench: Bench) -> None:
    """The number of events is what it was before."""
    administer(bench.world, env=[{"name": "POSTHOG_BATCH_SIZE", "value": "50"}])
    await bench.world.until("complete")
    await bench.quiet()
    bench.signals.mood = "ill"
    (action,) = planned("queue")
    action = action.model_copy(update={"target": bench.world.block.target})

    await bench.approve(action)
    result = await bench.take(action)

    assert result.outcome is ActionOutcome.NOT_RECOVERED, result.detail
    undone = (await bench.incident.read()).results[undo_of(action).id]
    assert undone.outcome is ActionOutcome.DONE, undone.detail
    assert BATCH_SIZE(bench.world) == "50"
