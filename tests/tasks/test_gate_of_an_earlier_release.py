"""A run that went to sleep under the release before is answered as it was asked: with that release's form."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from pytest_httpserver import HTTPServer

from flows.action import take_action
from flows.current_run import flow_run_id
from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.incidents.events import (
    EVENT,
    ActionPreviewed,
    AnswerPlanted,
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalRequested,
    PlanDrifted,
)
from tests.tasks.changes import variable
from tests.tasks.mitigation_bench import Bench, mitigation_bench

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

RECORDED = Path(__file__).parents[1] / "data" / "journals" / "asked-0004-enable-fallback.jsonl"
GATE = "1-enable-fallback-1"
FORM = {"decision": "approve", "approver": "ana", "reason": "users wait"}


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """The cluster that the plan was made on."""
    async with mitigation_bench(tmp_path, httpserver) as running:
        yield running


async def resumed(bench: Bench, form: dict[str, Any]) -> ActionResult | None:
    """The run goes on after the upgrade, with this form filled in; `None` where it asks again."""
    previewed, asked = (EVENT.validate_python(json.loads(line)) for line in RECORDED.read_text().splitlines())
    assert isinstance(previewed, ActionPreviewed)
    assert isinstance(asked, ApprovalRequested)
    await bench.incident.record(previewed)

    @flow(name="a run of the release before", validate_parameters=False)
    async def run() -> ActionResult:
        ours = asked.model_copy(update={"flow_run_id": str(flow_run_id())})
        await bench.incident.record(ours, key=f"ask:{ours.gate}")
        async with get_client() as client:
            await client.create_flow_run_input(flow_run_id(), f"suspended-{GATE}-response", json.dumps(form))
        return await take_action(bench.incident, previewed.plan.action)

    try:
        return await run()
    except RuntimeError as error:
        if "cannot be suspended" not in str(error):  # only a deployment's run can
            raise
        return None


async def test_its_own_form_approves_the_plan_that_it_was_made_for(bench: Bench) -> None:
    """This release binds more of the same plan; the yes holds, and the change is made once."""
    result = await resumed(bench, {"gate": GATE, **FORM})

    assert result is not None
    assert (result.outcome, result.approved_by) == (ActionOutcome.RECOVERED, "ana")
    journal = await bench.incident.read()
    assert [event.gate for event in journal.events(ApprovalAnswered)] == [GATE]
    assert (journal.events(PlanDrifted), journal.events(AnswerPlanted)) == ([], [])
    assert len(bench.writes()) == 1
    assert variable("POSTHOG_FALLBACK")(bench.world) == "true"


@pytest.mark.parametrize("gate", [{}, {"gate": "1-enable-fallback-2"}], ids=["no gate", "another gate"])
async def test_a_form_without_its_gate_is_no_answer_any_more(bench: Bench, gate: dict[str, str]) -> None:
    """It is refused with the reason, and the plan is asked about anew, in this release's way."""
    assert await resumed(bench, {**gate, **FORM}) is None

    journal = await bench.incident.read()
    (refused,) = journal.events(ApprovalRefused)
    assert refused.gate == GATE
    assert "it does not match this gate" in refused.because
    asked = journal.pending_gate
    assert asked is not None
    assert asked.bound
    assert asked.gate.startswith("1-enable-fallback-2-")
    assert bench.writes() == []


async def test_a_question_of_the_release_before_was_not_planted_by_anybody(bench: Bench) -> None:
    """Its answered gates stay known, however they are named; only what belongs to none is reported."""
    await resumed(bench, {"gate": GATE, **FORM, "decision": "snooze"})
    journal = await bench.incident.read()
    assert journal.events(AnswerPlanted) == []
    assert journal.pending_gate is not None
