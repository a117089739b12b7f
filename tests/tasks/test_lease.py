"""One action at a time per target: who has lost its lease sends no request and writes no word."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.store.journal import IncidentStore
from blocks.store.lease import TERM, Lease, LeaseLost
from blocks.transport.errors import Unavailable
from deployments.drill.cluster.faults import Fault
from runbook.actions.catalogue import ActionOutcome, ChangePlan, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalAnswered
from tasks import lease as leases
from tasks.incident import OpenIncident, now
from tasks.lease import exclusively, leased
from tests.tasks.changes import DEPLOYMENT
from tests.tasks.environments import ALERT, AT, open_incident
from tests.tasks.mitigation_bench import Bench, mitigation_bench, until

TARGET = f"default/deployment/{DEPLOYMENT}"
FALLBACK, QUEUE = ENABLE_FALLBACK.name, ENABLE_REQUEST_QUEUE.name


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it; a change that does not help is watched for a while."""
    async with mitigation_bench(tmp_path, httpserver, success_deadline_seconds=30) as running:
        yield running


@pytest.fixture
async def incident(tmp_path: Path) -> OpenIncident:
    """An incident, and no cluster."""
    return await open_incident(tmp_path)


def action(name: ActionName = FALLBACK) -> PlannedAction:
    """The action, planned."""
    return PlannedAction(id=f"1-{name}", name=name, target=TARGET, because="a test")


async def another(incident: OpenIncident) -> OpenIncident:
    """Another incident of the same environment."""
    alert = ALERT.model_copy(update={"service": "another"})
    await incident.environment.store.open_incident(
        alert, incident_id="inc-2", at=AT, environment=incident.environment.name
    )
    return dataclasses.replace(incident, id="inc-2")


async def taken_over(incident: OpenIncident) -> int:
    """Another run of the same incident starts to work on the target."""
    until = now() + TERM
    token, _ = await incident.environment.store.take_lease(TARGET, incident.id, at=now(), until=until)
    assert token is not None
    return token


async def free(incident: OpenIncident) -> bool:
    """Whether somebody else could have the target at once."""
    until = now() + TERM
    token, _ = await incident.environment.store.take_lease(TARGET, "inc-9", at=now(), until=until)
    return token is not None


async def test_another_incident_waits_until_the_target_is_free(incident: OpenIncident) -> None:
    """It goes on as soon as the first lets go, and not before."""
    order: list[str] = []
    inside = asyncio.Event()
    other = await another(incident)

    async def first() -> None:
        async with leased(incident, TARGET):
            inside.set()
            await asyncio.sleep(0.3)
            order.append("first is done")

    async def second() -> None:
        await inside.wait()
        async with leased(other, TARGET):
            order.append("second begins")

    await asyncio.gather(first(), second())
    assert order == ["first is done", "second begins"]


async def test_a_wait_without_an_end_names_who_is_in_the_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action has failed without a request; a person knows which incident to look after."""
    monkeypatch.setattr(leases, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.02)
    decision = await bench.approve(action())
    plan = await bench.preview(action())
    async with leased(await another(bench.incident), TARGET):
        result = await bench.make(plan, decision)

    assert result is not None
    assert (result.outcome, result.detail) == (
        ActionOutcome.FAILED,
        f"target: inc-2 is changing {TARGET}. Wait until it has finished, or check it",
    )
    assert bench.writes() == []


async def test_a_change_that_has_begun_waits_for_another_to_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the cluster, and its run died: the run that is continued waits, and is continued again."""
    decision, plan = await bench.approve(action()), await bench.preview(action())
    await taken_over_in_the_proof(bench, plan, decision)
    monkeypatch.setattr(leases, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.02)
    async with leased(await another(bench.incident), TARGET):
        with pytest.raises(Unavailable, match="inc-2 is changing"):
            await bench.make(plan, decision)
    assert (await bench.incident.read()).results == {}

    result = await bench.make(await bench.preview(action()), decision)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED
    assert len(bench.writes()) == 1


async def taken_over_in_the_proof(bench: Bench, plan: ChangePlan, decision: ApprovalAnswered) -> None:
    """The change is made, and its run loses the target before it is proved."""
    bench.signals.mood = "silent"
    late = asyncio.create_task(bench.make(plan, decision))
    await until(lambda: bool(bench.writes()), "the change is made")
    await bench.world.until("complete")
    store = bench.incident.environment.store
    token = await taken_over(bench.incident)
    with pytest.raises(LeaseLost):
        await late
    await store.release_lease(TARGET, token, at=now())
    bench.signals.mood = "well"


async def test_two_incidents_change_a_target_one_after_the_other(bench: Bench) -> None:
    """The second finds another workload than its plan was made on, and does nothing."""
    other = dataclasses.replace(bench, incident=await another(bench.incident))
    decisions = [await bench.approve(action(FALLBACK)), await other.approve(action(QUEUE))]
    plans = [await bench.preview(action(FALLBACK)), await other.preview(action(QUEUE))]

    results = await asyncio.gather(bench.make(plans[0], decisions[0]), other.make(plans[1], decisions[1]))

    (made,) = [result for result in results if result is not None]
    assert made.outcome is ActionOutcome.RECOVERED
    assert len(bench.writes()) == 1


@pytest.mark.parametrize("ends", ["well", "refused", "by an error of ours"])
async def test_a_target_is_free_after_every_end(bench: Bench, ends: str) -> None:
    """Nobody waits for an incident that is through with it."""
    decision = await bench.approve(action())
    plan = await bench.preview(action())
    if ends == "refused":
        refusal = Fault(path="/deployments/", method="PATCH", status=403, times=None)
        bench.world.imitation.faults.append(refusal)
    if ends == "by an error of ours":
        decision = decision.model_copy(update={"gate": "no such gate"})
    with suppress(PermissionError):
        await bench.make(plan, decision)
    assert await free(bench.incident)


async def test_every_look_makes_the_lease_last_longer(incident: OpenIncident) -> None:
    """A rollout may take longer than a term."""
    store = incident.environment.store
    begun = now()
    token, _ = await store.take_lease(TARGET, incident.id, at=begun, until=begun)
    assert token is not None
    await Lease(store, TARGET, token).check()
    almost = begun + TERM * 0.9
    assert await store.take_lease(TARGET, "inc-2", at=almost, until=almost) == (None, incident.id)


async def test_a_store_that_cannot_be_reached_is_no_lease(tmp_path: Path) -> None:
    """Nobody can tell whose the target is, so nothing may be done."""
    nowhere = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/missing/incidents.db"))
    with pytest.raises(Unavailable):
        await Lease(nowhere, TARGET, 1).check()


async def test_who_loses_its_lease_before_the_write_sends_none(bench: Bench) -> None:
    """A process hangs between its look and its write, and another run takes over: it stops without a word."""
    decision = await bench.approve(action())
    plan = await bench.preview(action())
    read = len(bench.world.asked("GET"))
    hanging = Fault(path=f"/deployments/{DEPLOYMENT}$", method="GET", delay_before=60)
    bench.world.imitation.faults.append(hanging)
    late = asyncio.create_task(bench.make(plan, decision))
    await until(lambda: len(bench.world.asked("GET")) > read, "the late run looks at the workload")
    await taken_over(bench.incident)
    bench.world.imitation.close_streams()

    with pytest.raises(LeaseLost):
        await late
    assert bench.writes() == []
    incident = await bench.incident.read()
    assert (incident.effects, incident.results) == ({}, {})


async def test_who_loses_its_lease_during_the_proof_leaves_it_to_the_other(bench: Bench) -> None:
    """The late run says nothing about how it ended; the other one finds the change made and proves it."""
    decision = await bench.approve(action())
    plan = await bench.preview(action())
    bench.signals.mood = "silent"
    late = asyncio.create_task(bench.make(plan, decision))
    await until(lambda: bool(bench.writes()), "the change is made")
    await bench.world.until("complete")
    await taken_over(bench.incident)
    with pytest.raises(LeaseLost):
        await late
    assert (await bench.incident.read()).results == {}

    bench.signals.mood = "well"
    result = await bench.make(await bench.preview(action()), decision)

    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED
    assert len(bench.writes()) == 1
    assert await bench.effects(action()) == {"set-field": EffectOutcome.APPLIED}


async def test_who_works_on_keeps_others_out_for_longer_than_the_term(incident: OpenIncident) -> None:
    """A heartbeat renews it, so the term can be as short as people may wait after a kill."""
    environment, term = incident.environment, timedelta(seconds=0.3)
    async with exclusively(environment, "reminders", "slow", term=term) as slow:
        assert slow
        await asyncio.sleep(3 * term.total_seconds())
        async with exclusively(environment, "reminders", "next", term=term) as ours:
            assert not ours
    async with exclusively(environment, "reminders", "next", term=term) as ours:
        assert ours


async def test_after_a_kill_others_wait_for_the_term(incident: OpenIncident) -> None:
    """Nobody renews what a dead process held."""
    environment, term = incident.environment, timedelta(seconds=0.3)
    name = f"reminders of {environment.name}"
    await environment.store.take_lease(name, "killed", at=now(), until=now() + term)
    async with exclusively(environment, "reminders", "next", term=term) as ours:
        assert not ours
    await asyncio.sleep(term.total_seconds() + 0.05)
    async with exclusively(environment, "reminders", "next", term=term) as ours:
        assert ours
