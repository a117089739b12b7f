"""Approvals of a target that does not keep still, through a whole response: real runs, real questions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.action import NEW_PLANS
from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested, IncidentEscalated, PlanDrifted
from tests.engine.test_plan_binding import somebody_sets
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

EVERY_SECONDS = 2.0
"""How often the operator writes; the case was seen with a real one."""

YES = Answer(
    choice=Choice.APPROVE,
    approver="ana",
    channel="cli",
    identity=Identity(name="ana", how=Proof.OS_PEER),
)


def note(response: Case, number: int) -> None:
    """An operator stamps the Deployment, its template's reader and its Secret, as leader elections do."""
    cluster = response.world.systems.cluster
    metadata = {
        "annotations": {"operator.example/last-seen": str(number)},
        "labels": {"operator.example/round": str(number)},
    }
    for kind in ("Deployment", "Secret"):
        for found in cluster.objects(kind):
            cluster.apply({"kind": kind, "metadata": {"name": found["metadata"]["name"], **metadata}})


@contextlib.asynccontextmanager
async def annotated(response: Case) -> AsyncIterator[list[int]]:
    """Somebody writes an annotation and a label all the time; yields the rounds so far."""
    rounds: list[int] = []

    async def write() -> None:
        while True:
            rounds.append(len(rounds))
            note(response, rounds[-1])
            await asyncio.sleep(EVERY_SECONDS)

    writing = asyncio.create_task(write())
    try:
        yield rounds
        assert not writing.done(), "the operator has stopped"
    finally:
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing


async def test_one_yes_is_enough_while_an_operator_writes_its_annotation(
    engine: Engine, tmp_path: Path
) -> None:
    """From the alert to the end of the incident: one question, one yes, one change, which is proved."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as response:
        async with annotated(response) as rounds:
            await response.alert()
            gate = await response.gate()
            await asyncio.sleep(2 * EVERY_SECONDS + 0.5)  # the operator writes while the person reads
            await response.answer(YES)
            incident = await response.until(lambda it: gate.action_id in it.results)

        assert len(rounds) >= 3
        result = incident.results[gate.action_id]
        assert (result.outcome, result.approved_by) == (ActionOutcome.RECOVERED, "ana")
        asked = [event for event in incident.events(ApprovalRequested) if event.action_id == gate.action_id]
        said = [event for event in incident.events(ApprovalAnswered) if event.action_id == gate.action_id]
        assert (len(asked), len(said)) == (1, 1)
        assert incident.events(PlanDrifted) == []
        assert len(response.changes()) == 1


async def test_the_bound_of_new_plans_holds_over_all_runs(engine: Engine, tmp_path: Path) -> None:
    """What the plan relies on changes after each question: after the last one a person is called for good."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as response:
        await response.alert()
        gate = await response.gate()
        for number in range(NEW_PLANS):
            somebody_sets(response, "LOG_LEVEL", f"level-{number}")
            await response.answer(YES)
            if number + 1 < NEW_PLANS:
                gate = await response.gate(other_than=gate.gate)
        incident = await response.until(lambda it: gate.action_id in it.results)

        assert incident.results[gate.action_id].outcome is ActionOutcome.FAILED
        assert "the target does not stop changing; last: " in incident.results[gate.action_id].detail
        assert len(incident.events(PlanDrifted)) == NEW_PLANS
        asked = [event for event in incident.events(ApprovalRequested) if event.action_id == gate.action_id]
        assert len(asked) == NEW_PLANS
        incident = await response.until(lambda it: bool(it.events(IncidentEscalated)))
        assert any("does not stop changing" in event.because for event in incident.events(IncidentEscalated))
        assert response.changes() == []
