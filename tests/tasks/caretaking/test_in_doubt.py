"""A run ends for good between intent and outcome: the target is read before a person is paged."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient
from pytest_httpserver import HTTPServer

from deployments.drill.cluster.faults import Fault
from runbook.actions.catalogue import PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.caretaking.runs import Run, RunState
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.events import RunStarted
from tasks import effects
from tasks.caretaking import watchdog
from tasks.caretaking.in_doubt import read_changes_in_doubt
from tasks.incident import OpenIncident
from tests.tasks.changes import DEPLOYMENT
from tests.tasks.environments import AT
from tests.tasks.mitigation_bench import Bench, mitigation_bench

RUN = "00000000-0000-0000-0000-000000000002"
FALLBACK = PlannedAction(
    id="1-enable-fallback",
    name=ENABLE_FALLBACK.name,
    target=f"default/deployment/{DEPLOYMENT}",
    because="a test",
)
IN_DOUBT = "not known whether this was done, so check first"


class Died(BaseException):
    """The process is no more."""


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it."""
    async with mitigation_bench(tmp_path, httpserver) as running:
        yield running


async def dies(bench: Bench, monkeypatch: pytest.MonkeyPatch, *, landed: bool) -> None:
    """The process dies before it can tell how its request for the change has ended."""
    decision, plan = await bench.approve(FALLBACK), await bench.preview(FALLBACK)

    async def dead(*_: object, **__: object) -> Effect:
        raise Died

    if not landed:
        bench.world.imitation.faults.append(
            Fault(path="/deployments/", method="PATCH", status=403, times=None)
        )
    with monkeypatch.context() as patched:
        patched.setattr(effects, "_record", dead)
        with pytest.raises(Died):
            await bench.make(plan, decision)
    bench.world.imitation.faults.clear()
    assert await bench.effects(FALLBACK) == {"set-field": None}


@pytest.mark.parametrize(
    ("landed", "outcome"), [(True, EffectOutcome.APPLIED), (False, EffectOutcome.FAILED)]
)
async def test_a_change_in_doubt_is_settled_by_what_the_cluster_shows(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, landed: bool, outcome: EffectOutcome
) -> None:
    """Nothing is sent but reads, and a second look writes nothing more."""
    await dies(bench, monkeypatch, landed=landed)
    sent = len(bench.changing_requests())
    await read_changes_in_doubt(bench.incident)
    assert await bench.effects(FALLBACK) == {"set-field": outcome}
    journal = await bench.incident.read()
    await read_changes_in_doubt(bench.incident)
    assert await bench.incident.read() == journal
    assert len(bench.changing_requests()) == sent


@pytest.mark.usefixtures("engineless")
async def test_nobody_is_called_about_a_doubt_that_reading_removes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run was cancelled, and what it had begun is known."""
    await dies(bench, monkeypatch, landed=True)
    await is_cancelled(bench, monkeypatch)
    await watchdog.look_after(bench.incident.environment)
    [because] = await bench.escalations()
    assert "its run was cancelled" in because
    assert IN_DOUBT not in because


@pytest.mark.usefixtures("engineless")
@pytest.mark.parametrize(
    "fault", [Fault(times=None, status=403), Fault(times=None, delay_before=30)], ids=["refuses", "hangs"]
)
async def test_a_doubt_that_a_person_was_called_about_is_theirs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """The cluster could not be read when they were called; that it can be now calls nobody again."""
    monkeypatch.setattr(watchdog, "SETTLE_SECONDS", 1)
    await dies(bench, monkeypatch, landed=True)
    await is_cancelled(bench, monkeypatch)
    bench.world.imitation.faults.append(fault)
    await watchdog.look_after(bench.incident.environment)
    bench.world.imitation.faults.clear()
    await watchdog.look_after(bench.incident.environment)
    [because] = await bench.escalations()
    assert IN_DOUBT in because


@pytest.mark.usefixtures("engineless")
async def test_a_reading_without_an_end_keeps_nobody_from_being_called(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call waits for what can be read, and no longer."""

    async def never_ends(_incident: OpenIncident) -> None:
        await asyncio.Event().wait()  # an event that never comes

    monkeypatch.setattr(watchdog, "read_changes_in_doubt", never_ends)
    monkeypatch.setattr(watchdog, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(watchdog, "CARE_SECONDS", 20)
    await is_cancelled(bench, monkeypatch)
    await watchdog.look_after(bench.incident.environment)
    [because] = await bench.escalations()
    assert "its run was cancelled" in because


async def is_cancelled(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has cancelled the incident's run in Prefect."""
    await bench.incident.record(RunStarted(flow_run_id=RUN))

    async def read(_client: PrefectClient, _flow_run_id: str) -> Run:
        return Run(id=RUN, state=RunState.CANCELLED, since=AT)

    monkeypatch.setattr(watchdog, "read_run", read)
