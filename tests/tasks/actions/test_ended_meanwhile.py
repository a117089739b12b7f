"""A person ends the incident while a change is under way: what has begun is proved, nothing else begins."""

import asyncio
import dataclasses

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.incidents import events as e
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import CHANGE, Authority, Effect
from tasks.actions.changes import steps_of
from tasks.actions.changes.binding import TARGET
from tasks.actions.mitigate import make_change
from tasks.actions.planned_change import change_of
from tasks.ended import Ended
from tasks.lease import leased
from tests.tasks.mitigation_bench import Bench, until
from tests.tasks.planned_actions import action, bench

__all__ = ["bench"]  # a fixture, found here

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

FALLBACK = action(ENABLE_FALLBACK.name)
BY_ANA = e.IncidentResolved(outcome="recovered", because=("it works",), by="ana")


async def end(bench: Bench) -> None:
    """A person says that it is over."""
    await bench.incident.environment.store.append(
        bench.incident.id, BY_ANA, at=(await bench.incident.read()).journal[-1].at, key=BY_ANA.journal_key
    )


async def test_nothing_is_applied_after_the_end(bench: Bench) -> None:
    """Somebody has approved at the same moment: their answer stands before the end in the journal."""
    await bench.approve(FALLBACK)
    await end(bench)
    with pytest.raises(Ended, match="recovered"):
        await bench.take(FALLBACK)
    assert bench.writes() == []


async def test_an_end_while_the_target_is_waited_for_stops_the_change(bench: Bench) -> None:
    """Another incident holds it, for up to two minutes."""
    approved = await bench.approve(FALLBACK)
    plan = await bench.preview(FALLBACK)
    async with leased(dataclasses.replace(bench.incident, id="inc-2"), plan.bound.get(TARGET, "")):
        making = asyncio.create_task(make_change(bench.incident, plan, approved))
        await asyncio.sleep(0.05)
        await end(bench)
    with pytest.raises(Ended):
        await making
    assert bench.writes() == []


async def test_the_response_stops_where_the_incident_ends_while_it_waits(bench: Bench) -> None:
    """The task that makes the change ends with that as its result, and nothing is sent."""
    await bench.approve(FALLBACK)
    plan = await bench.preview(FALLBACK)
    async with leased(dataclasses.replace(bench.incident, id="inc-2"), plan.bound.get(TARGET, "")):
        taking = asyncio.create_task(bench.take(FALLBACK))
        await asyncio.sleep(2)
        assert not taking.done()
        await end(bench)
    with pytest.raises(Ended):
        await taking
    assert bench.writes() == []


async def test_a_change_that_is_being_made_is_proved(bench: Bench) -> None:
    """And one that did not help stays, as its undo would be something new: a person gets the commands."""
    bench.signals.mood = "ill"
    await bench.approve(FALLBACK)
    taking = asyncio.create_task(bench.take(FALLBACK))
    await until(lambda: bool(bench.writes()), "the change is made")
    await end(bench)
    with pytest.raises(Ended):
        await taking
    journal = await bench.incident.read()
    assert journal.results[FALLBACK.id].outcome is ActionOutcome.NOT_RECOVERED
    assert len(bench.writes()) == 1
    [called] = journal.events(e.IncidentEscalated)
    assert "It stays as it is: the incident has ended: recovered" in called.because
    assert any("kubectl" in command for command in called.commands)


async def test_a_change_whose_process_died_is_proved_after_the_end(bench: Bench) -> None:
    """Its request had arrived, though nobody had read the answer; it is not made again."""
    await bench.approve(FALLBACK)
    taking = asyncio.create_task(bench.take(FALLBACK))
    await until(lambda: bool(bench.writes()), "the change is made")
    taking.cancel()
    await asyncio.wait([taking])
    await end(bench)
    assert (await bench.take(FALLBACK)).outcome is ActionOutcome.RECOVERED
    assert len(bench.writes()) == 1


async def test_a_change_whose_process_died_before_its_request_is_not_made_after_the_end(bench: Bench) -> None:
    """That it was intended is in the journal, and that it was not made is then, too."""
    approved = await bench.approve(FALLBACK)
    plan = await bench.preview(FALLBACK)
    change = change_of(bench.incident, await bench.incident.read(), FALLBACK)
    step = steps_of(change, plan)[0]
    effect = Effect(
        id=EffectId.of_step(change.effect_id, step.name),
        kind=CHANGE,
        target=step.target,
        summary=step.summary,
        authority=Authority.approval(approved.gate, approved.answer.approver),
    )
    await bench.incident.record(e.EffectIntended(effect=effect))
    await end(bench)
    with pytest.raises(Ended):
        await bench.take(FALLBACK)
    assert bench.writes() == []
    assert not (await bench.incident.read()).changing
