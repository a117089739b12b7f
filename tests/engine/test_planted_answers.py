"""An answer counts only for the question that was asked: what is planted is refused, and blocks nobody."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.asking import ASKED_AFRESH
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.events import (
    AnswerPlanted,
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalRequested,
    IncidentEscalated,
    RunContinued,
)
from runbook.incidents.incident import Incident
from tasks.channels.warn import NAME
from tasks.incident import now
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

SEEN = Identity(name="ana", how=Proof.OS_PEER)
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

ACTION = "1-enable-fallback"
YES = {"decision": "approve", "approver": "eve", "reason": "trust me"}
GENUINE = Answer(choice=Choice.APPROVE, approver="ana", channel="cli", identity=SEEN)


@pytest.fixture
async def response(engine: Engine, tmp_path: Path) -> AsyncIterator[Case]:
    """An outage of PostHog, on the way to its first gate; it is watched for some seconds only."""
    policy = {"watch_limit_seconds": 3, "success_deadline_seconds": 10}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as one:
        await one.alert()
        yield one


async def plant(response: Case, key: str, form: object) -> None:
    """Write an answer into Prefect past its own way to answer, as anybody can who reaches its API."""
    await response.client.create_flow_run_input(await response.run_id(), key, json.dumps(form))


def warnings(incident: Incident) -> list[str]:
    """What the channel was told of refused answers."""
    return [effect.id for effect in incident.effects.values() if effect.id.endswith(f"/slack/{NAME}")]


async def approved_by_ana(response: Case) -> Incident:
    """The incident, when the first action has ended; the yes that counted has to be the genuine one."""
    incident = await response.until(lambda it: ACTION in it.results)
    assert incident.results[ACTION].outcome is ActionOutcome.RECOVERED
    assert incident.results[ACTION].approved_by == "ana"
    assert {event.answer.approver for event in incident.events(ApprovalAnswered)} == {"ana"}
    return incident


async def test_an_answer_from_before_the_question_is_not_taken(response: Case) -> None:
    """Names of gates were to be guessed in an earlier release. It is reported once, and changes nothing."""
    for number in (1, 2, 3):
        guessed = {"gate": f"{ACTION}-{number}", "plan": "0" * 64, **YES}
        await plant(response, f"suspended-{ACTION}-{number}-response", guessed)
    first = await response.gate()
    assert await response.fill_in(first, decision="snooze", approver="ana")
    await response.gate(other_than=first.gate)
    assert response.changes() == []

    await response.answer(GENUINE)

    incident = await approved_by_ana(response)
    assert incident.events(AnswerPlanted) == [AnswerPlanted(flow_run_id=first.flow_run_id, answers=3)]
    assert len(warnings(incident)) == 1
    assert incident.events(ApprovalRefused) == []


async def test_a_form_has_to_name_its_question_and_its_plan(response: Case) -> None:
    """Prefect lets fields be left out; such a form is none of this question, which is asked again."""
    first = await response.gate()
    assert await response.resume(**YES)
    second = await response.gate(other_than=first.gate)
    assert await response.resume(gate=second.gate, **YES)
    third = await response.gate(other_than=second.gate)
    assert not await response.resume(gate=third.gate, plan="0" * 64, **YES)
    assert await response.resume(plan=third.plan_digest, **YES)
    fourth = await response.gate(other_than=third.gate)

    incident = await response.read()
    because = [event.because for event in incident.events(ApprovalRefused)]
    assert [words.partition(":")[0] for words in because] == [
        "it does not match this gate and plan",
        "it does not match this plan",
        "it does not match this gate",
    ]
    assert len(warnings(incident)) == 1
    assert response.changes() == []

    assert await response.fill_in(fourth, decision="approve", approver="ana")
    await approved_by_ana(response)


@pytest.mark.parametrize("choice", [Choice.REJECT, Choice.APPROVE])
async def test_an_answer_that_is_written_into_the_store_at_a_made_up_gate_is_none(
    response: Case, choice: Choice
) -> None:
    """Whoever can write there names the plan exactly; the question stays, and it is told once."""
    first = await response.gate()
    answer = Answer(choice=choice, approver="ana", reason="trust me", channel="cli", identity=SEEN)
    planted = ApprovalAnswered(
        gate=f"{ACTION}-9-0123456789abcdef",
        action_id=ACTION,
        plan_digest=first.plan_digest,
        answer=answer,
    )
    await response.store.append(response.incident_id, planted, at=now(), key=planted.journal_key)
    assert await response.fill_in(first, decision="snooze", approver="ana")
    second = await response.gate(other_than=first.gate)
    assert second.plan_digest == first.plan_digest
    assert response.changes() == []
    incident = await response.read()
    assert incident.events(AnswerPlanted) == [AnswerPlanted(flow_run_id=first.flow_run_id, answers=1)]
    assert len(warnings(incident)) == 1

    await response.answer(GENUINE)
    incident = await response.until(lambda it: ACTION in it.results)
    assert incident.results[ACTION].outcome is ActionOutcome.RECOVERED


@pytest.mark.slow
@pytest.mark.parametrize("form", [YES, [1], "approve"], ids=["no gate", "a list", "a text"])
async def test_an_answer_that_is_written_beside_an_open_question_blocks_nobody(
    response: Case, form: object
) -> None:
    """Prefect then takes no other form: the watchdog has the question asked again, and that takes one."""
    first = await response.gate()
    await plant(response, f"suspended-{first.gate}-response", form)

    second = await response.gate(other_than=first.gate)
    assert response.changes() == []
    assert await response.fill_in(second, decision="approve", approver="ana")

    incident = await approved_by_ana(response)
    assert len(incident.events(RunContinued)) == 1
    assert len(warnings(incident)) == 1


@pytest.mark.slow
async def test_the_command_line_answers_past_a_planted_answer(response: Case) -> None:
    """It waits for no watchdog: its answer stands in the journal, and the run is woken without a form."""
    first = await response.gate()
    await plant(response, f"suspended-{first.gate}-response", YES)
    await response.answer(GENUINE)
    await approved_by_ana(response)


@pytest.mark.slow
async def test_a_flood_of_forms_fills_no_journal_and_blocks_nobody(response: Case) -> None:
    """From some refusals on the question is asked again as it is; its reminders go on, and it is answered."""
    gate = await response.gate()
    for _ in range(ASKED_AFRESH + 2):
        gate = await refused(response)
    incident = await response.read()
    assert len(incident.events(ApprovalRequested)) == ASKED_AFRESH + 1
    assert len(incident.events(ApprovalRefused)) == ASKED_AFRESH
    assert len(warnings(incident)) == 1
    assert incident.events(IncidentEscalated) == []

    assert await refused(response) == gate
    assert len((await response.read()).journal) == len(incident.journal)
    assert response.changes() == []

    assert await response.fill_in(gate, decision="approve", approver="ana")
    await approved_by_ana(response)


async def refused(response: Case) -> PendingGate:
    """A form that is no answer is submitted; the gate at which the run sleeps then."""
    before = (await response.run_state()).id
    assert await response.resume(**YES)
    await response.until_run(lambda state: state.is_paused() and state.id != before)
    return await response.gate()
