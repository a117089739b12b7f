"""The gate, with a real server and worker: what counts as an answer, and what survives an interruption."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.states import Cancelling, Failed

from deployments.cli.people.account import account
from deployments.drill.cluster.faults import Fault
from deployments.drill.world.integration.manifests import DEPLOYMENT
from deployments.services.refusals import ActRefused
from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import SNOOZE_MINUTES, Answer, Choice, PendingGate
from runbook.approvals.identity import Proof
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import (
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalRequested,
    EffectIntended,
    EffectSettled,
    IncidentEscalated,
    RunContinued,
)
from runbook.incidents.incident import Incident
from tests.engine.processes import engines
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import WITHIN_SECONDS

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

FIRST = "1-enable-fallback"
PATCHES = r"/deployments/"

YES = Answer(choice=Choice.APPROVE, approver="ana", reason="go", channel="cli")
NO = Answer(choice=Choice.REJECT, approver="jun", reason="not during the launch", channel="cli")


@pytest.fixture
async def response(engine: Engine, tmp_path: Path) -> AsyncIterator[Case]:
    """An outage of PostHog, on the way to its first gate; it is watched for some seconds only."""
    policy = {"watch_limit_seconds": 3, "success_deadline_seconds": 10}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as one:
        await one.alert()
        yield one


def gates(incident: Incident) -> list[str]:
    """The names of the gates that asked about the first action, oldest first."""
    return [event.gate for event in incident.events(ApprovalRequested) if event.action_id == FIRST]


def ended(incident: Incident) -> bool:
    """Whether the first action has ended."""
    return FIRST in incident.results


async def test_a_form_that_decides_nothing_asks_again_and_an_older_one_does_not_count(response: Case) -> None:
    """An incomplete form (Prefect lets it pass) and `snooze` change nothing; the same plan is asked about.

    A form that was made for an earlier question is refused by Prefect: the run sleeps on.
    """
    first = await response.gate()

    assert await response.fill_in(first, decision="approve", approver="  ", reason="go")
    second = await response.gate(other_than=first.gate)
    await says_why(response, first, "the approver is empty")

    assert await response.fill_in(second, decision="reject", approver="ana", reason="")
    third = await response.gate(other_than=second.gate)
    await says_why(response, second, "a rejection needs a reason")

    assert await response.fill_in(third, decision="snooze", approver="ana", reason="in a minute")
    fourth = await response.gate(other_than=third.gate)
    assert fourth.remind_at is not None
    assert fourth.remind_at - fourth.asked_at <= timedelta(minutes=SNOOZE_MINUTES)
    snoozed = Answer(
        choice=Choice.SNOOZE,
        approver="ana",
        reason="in a minute",
        channel="prefect-ui",
        snooze_minutes=SNOOZE_MINUTES,
    )
    assert (await response.read()).closed_gates[third.gate] == snoozed

    asked = {(gate.action_id, gate.plan_digest) for gate in (first, second, third, fourth)}
    assert len(asked) == 1
    assert not await response.fill_in(first, decision="approve", approver="ana")
    assert (await response.run_state()).is_paused()
    assert (await response.read()).pending_gate == fourth
    assert response.changes() == []


async def says_why(response: Case, gate: PendingGate, because: str) -> None:
    """Asserts that the last form that was refused is the one of this gate, with its reason journalled."""
    refused = (await response.read()).last(ApprovalRefused)
    assert refused is not None
    assert refused.gate == gate.gate
    assert because in refused.because


@pytest.mark.slow
async def test_an_answer_on_the_command_line_wakes_the_run(response: Case) -> None:
    """`runbook approve` journals the answer, and the run goes on with it."""
    gate = await response.gate()
    runbook = Path(sys.executable).with_name("runbook")
    seen = ("--plan", gate.plan_digest[:12])
    options = (*seen, "--reason", "users wait", "--config", response.config)

    process = await asyncio.create_subprocess_exec(
        runbook, "approve", response.incident_id, *options, env=response.engine.environment
    )

    assert await process.wait() == 0
    incident = await response.until(ended)
    [answer] = [given for given in incident.closed_gates.values() if given is not None]
    assert (answer.choice, answer.approver, answer.reason) == (Choice.APPROVE, account(), "users wait")
    assert answer.identity is not None
    assert answer.identity.how is Proof.OS_PEER  # the receiver has seen the account
    assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
    assert incident.results[FIRST].approved_by == account()
    assert len(response.changes()) == 1


@pytest.mark.slow
async def test_of_two_answers_at_once_the_first_stands(response: Case) -> None:
    """A yes and a no race: exactly one is journalled, both are told which, and the run obeys it."""
    gate = await response.gate()

    both = await asyncio.gather(response.answer(YES), response.answer(NO))

    incident = await response.until(ended)
    standing = incident.closed_gates[gate.gate]
    assert standing in (YES, NO)
    assert [answered.answer for answered in both] == [standing, standing]
    assert sorted(answered.ours for answered in both) == [False, True]
    approved = standing == YES
    assert (incident.results[FIRST].outcome is ActionOutcome.REJECTED) != approved
    assert len(response.changes()) == int(approved)


@pytest.mark.slow
async def test_the_journal_goes_before_the_form(response: Case) -> None:
    """Someone rejected on the command line; the form that is sent a moment later approves in vain."""
    gate = await response.gate()
    event = ApprovalAnswered(
        gate=gate.gate, action_id=gate.action_id, plan_digest=gate.plan_digest, answer=NO
    )
    await response.store.append(response.incident_id, event, at=datetime.now(UTC), key=f"answer:{gate.gate}")

    assert await response.fill_in(gate, decision="approve", approver="ana")

    incident = await response.until(ended)
    assert incident.results[FIRST].outcome is ActionOutcome.REJECTED
    assert incident.closed_gates == {gate.gate: NO}
    assert response.changes() == []


@pytest.mark.slow
async def test_a_retried_run_asks_its_open_gate_again_as_it_is(response: Case) -> None:
    """A run that failed while it slept can be retried: its question is open since it was asked first."""
    first = await response.gate()
    await response.client.set_flow_run_state(await response.run_id(), Failed(message="by hand"), force=True)

    await response.run_again()
    await response.until_run(lambda state: state.is_paused())
    assert await response.gate() == first
    await response.answer(YES)

    incident = await response.until(ended)
    assert gates(incident) == [first.gate]
    assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
    assert len(response.changes()) == 1


@pytest.mark.slow
async def test_a_retried_run_keeps_an_answered_gate(response: Case) -> None:
    """The answer was journalled but the run failed before it woke: the retry takes it, and asks no more."""
    gate = await response.gate()
    await response.client.set_flow_run_state(await response.run_id(), Failed(message="by hand"), force=True)
    with pytest.raises(ActRefused, match="has ended"):
        await response.answer(YES)

    await response.run_again()

    incident = await response.until(ended)
    assert gates(incident) == [gate.gate]
    assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
    assert len(response.changes()) == 1


@pytest.mark.slow
async def test_cancelling_at_a_gate_changes_nothing(response: Case) -> None:
    """A run that is cancelled in Prefect while it sleeps ends, and the cluster was never touched."""
    await response.gate()

    await response.client.set_flow_run_state(await response.run_id(), Cancelling())

    assert (await response.until_run(lambda state: state.is_final())).is_cancelled()
    assert response.changes() == []
    with pytest.raises(ActRefused):
        await response.answer(YES)
    assert (await response.run_state()).is_cancelled()
    assert response.changes() == []


@pytest.mark.parametrize(
    "landed", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["landed", "lost"]
)
async def test_a_killed_run_settles_what_it_intended(response: Case, landed: bool) -> None:
    """kill -9 between intent and outcome: the watchdog continues the run, which reads the target first."""
    gate = await response.gate()
    cluster = response.world.systems.cluster
    generation = cluster.get("Deployment", DEPLOYMENT)["metadata"]["generation"]
    dry_run = Fault(path=PATCHES, method="PATCH")  # the preview is repeated first, without any harm
    late = Fault(path=PATCHES, method="PATCH", delay_after=WITHIN_SECONDS)
    lost = Fault(path=PATCHES, method="PATCH", delay_before=WITHIN_SECONDS, close="before_effect")
    cluster.faults.extend([dry_run, late if landed else lost])
    await response.answer(YES)
    await response.until(lambda _: response.changes() != [])  # it is on its way

    kill_engines(response.engine)
    cluster.close_streams()  # the request that hangs goes on to its end
    assert len((await response.read()).events(EffectSettled)) < len(
        (await response.read()).events(EffectIntended)
    )

    incident = await response.until(ended)
    assert incident.events(RunContinued) != []
    assert incident.events(IncidentEscalated) == []
    assert incident.effects[f"{incident.id}/{FIRST}/set-field"].outcome is EffectOutcome.APPLIED
    assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
    assert gates(incident) == [gate.gate]
    assert len(response.changes()) == (1 if landed else 2)
    assert cluster.get("Deployment", DEPLOYMENT)["metadata"]["generation"] == generation + 1


def kill_engines(engine: Engine) -> None:
    """SIGKILL to each process that runs a flow."""
    killed = engines(engine.worker.pid)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
