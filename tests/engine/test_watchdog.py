"""The watchdog, with a real server and worker: stopped runs go on, and what wakes up late changes nothing."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from prefect.states import Cancelling, Crashed

from blocks.environment import Environment
from blocks.store.overview import incident_of_run
from deployments.drill.cluster.faults import Fault
from deployments.settings.settings import load_settings
from runbook.actions.catalogue import ActionOutcome
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import IncidentEscalated, RunContinued
from tasks.caretaking.runs import DEPLOYMENT
from tasks.caretaking.watchdog import look_after
from tests.engine.processes import engines
from tests.engine.test_gate import FIRST, NO, PATCHES, YES, ended, gates
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import WITHIN_SECONDS, eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
async def response(engine: Engine, tmp_path: Path) -> AsyncIterator[Case]:
    """An outage of PostHog, on the way to its first gate; a silent run is taken over after two seconds."""
    policy = {"watch_limit_seconds": 3, "success_deadline_seconds": 10, "takeover_after_seconds": 2}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as one:
        await one.alert()
        yield one


async def test_a_frozen_process_that_wakes_up_late_changes_nothing(response: Case) -> None:
    """Another one takes over and makes the change; the first finds itself fenced off, and says nothing."""
    gate = await response.gate()
    cluster = response.world.systems.cluster
    hanging = Fault(path=PATCHES, method="PATCH", delay_before=WITHIN_SECONDS, close="before_effect")
    cluster.faults.append(hanging)
    await response.answer(YES)
    await response.until(lambda _: hanging.times == 0)
    frozen = engines(response.engine.worker.pid)  # those of scheduled runs, too
    assert frozen
    signal_all(frozen, signal.SIGSTOP)
    try:
        await response.until(lambda incident: incident.events(RunContinued) != [])
        await response.until(ended)
    finally:
        signal_all(frozen, signal.SIGCONT)
    cluster.close_streams()
    await response.gate(other_than=gate.gate)
    await response.answer(NO)

    incident = await response.until(lambda it: it.closed)
    await response.until_run(lambda state: state.is_completed())
    assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
    assert incident.effects[f"{incident.id}/{FIRST}/set-field"].outcome is EffectOutcome.APPLIED
    assert gates(incident) == [gate.gate]
    assert len(response.changes()) == 1
    told = response.world.requests("slack", None)  # a message that is changed may say again what it once said
    texts = [request["body"]["text"] for request in told if request["path"].endswith("/chat.postMessage")]
    assert len(texts) == len(set(texts)) > 5


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def until_no_engine(engine: Engine) -> None:
    """Wait until no process runs a flow: those on a schedule come and go."""

    async def running() -> list[int]:
        return engines(engine.worker.pid)

    await eventually(running, lambda pids: pids == [])


@pytest.mark.slow
async def test_a_gate_without_its_form_gets_another(response: Case) -> None:
    """A process died between falling asleep and saving its form: the same question comes with a form."""
    first = await response.gate()
    state = await response.run_state()
    assert state.state_details.run_input_keyset is not None
    schema = state.state_details.run_input_keyset["schema"]
    await response.client.delete_flow_run_input(await response.run_id(), schema)
    await until_no_engine(response.engine)  # who waits for an answer needs no process

    await response.until_run(lambda now: now.is_paused() and now.id != state.id)
    assert await response.gate() == first
    assert await response.fill_in(first, decision="approve", approver="ana")

    incident = await response.until(ended)
    assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
    assert len(response.changes()) == 1


@pytest.mark.slow
async def test_a_run_that_was_interrupted_before_it_opened_an_incident_is_continued(
    engine: Engine, tmp_path: Path
) -> None:
    """Somebody has started it by hand and relies on it; no journal knows of it yet."""
    policy = {"watch_limit_seconds": 3, "takeover_after_seconds": 1}
    async with case(engine, "false-alarm", tmp_path, policy=policy, real_prometheus=False) as one:
        name = load_settings(one.config).prefect.environment
        deployment = await one.client.read_deployment_by_name(DEPLOYMENT)
        parameters = {"summary": "flags time out", "environment": name}
        run = await one.client.create_flow_run_from_deployment(
            deployment.id, parameters=parameters, state=Crashed()
        )
        environment = await Environment.load(name)

        did = await eventually(lambda: look_after(environment), bool)

        assert did == [f"run {run.id} is continued: it had stopped before it opened an incident"]
        opened = await eventually(lambda: incident_of_run(one.store, str(run.id)), bool)
        assert opened is not None
        one.incident_id = opened
        assert (await one.read()).alert.summary == "flags time out"


@pytest.mark.slow
async def test_a_run_that_somebody_cancelled_is_a_persons(response: Case) -> None:
    """It is not continued against their will; whoever is on call is told how it would be."""
    await response.gate()
    await response.client.set_flow_run_state(await response.run_id(), Cancelling())

    incident = await response.until(lambda it: it.last(IncidentEscalated) is not None)
    called = incident.last(IncidentEscalated)
    assert called is not None
    assert f"its run was cancelled; `runbook resume {incident.id}` goes on" in called.because
    assert incident.events(RunContinued) == []
    assert (await response.run_state()).is_cancelled()
