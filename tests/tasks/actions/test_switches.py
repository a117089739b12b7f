"""A switch that is taken off is what it was before the incident turned it on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.incidents.loose_ends import switches_left_on, switches_to_take_off
from tests.tasks.approved_changes import made
from tests.tasks.changes import CHANGES, FALLBACK, QUEUE, Show, administer, switched_on
from tests.tasks.mitigation_bench import Bench, mitigation_bench

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it."""
    async with mitigation_bench(tmp_path, httpserver, success_deadline_seconds=3) as running:
        yield running


def off(action: PlannedAction) -> PlannedAction:
    """What takes the switch off."""
    update = {"id": f"{action.id}-off", "name": TEMPORARY_SWITCHES[action.name]}
    return action.model_copy(update=update)


@pytest.mark.parametrize(
    ("name", "env", "shows"),
    [
        (ENABLE_REQUEST_QUEUE.name, {"name": "RATE_LIMIT_MODE", "value": "direct"}, QUEUE),
        (ENABLE_REQUEST_QUEUE.name, {"name": "RATE_LIMIT_MODE", "value": ""}, QUEUE),
        (ENABLE_REQUEST_QUEUE.name, {"name": "RATE_LIMIT_MODE", "$patch": "delete"}, QUEUE),
        (ENABLE_FALLBACK.name, {"name": "POSTHOG_FALLBACK", "value": "half"}, FALLBACK),
        (ENABLE_FALLBACK.name, {"name": "POSTHOG_FALLBACK", "$patch": "delete"}, FALLBACK),
    ],
    ids=["direct", "empty", "queue not set", "half", "fallback not set"],
)
async def test_a_switch_taken_off_is_what_it_was(
    bench: Bench, name: ActionName, env: dict[str, str], shows: Show
) -> None:
    """A value that the team had set is put back; a variable that was not there is removed."""
    administer(bench.world, env=[env])
    await bench.quiet()
    action = await made(bench, KNOWN[name])
    removal = off(action)
    plan = await bench.preview(removal)
    result = await bench.make(plan, await bench.approve(removal))

    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert shows(bench.world) == env.get("value")
    assert switches_left_on(await bench.incident.read()) == ()


@pytest.mark.parametrize(
    ("value", "why"), [("drop", "somebody has changed it since"), ("direct", "as before")]
)
async def test_a_switch_that_somebody_has_set_since_is_left(bench: Bench, value: str, why: str) -> None:
    """Their value is newer than ours: nothing is asked, nothing is sent, and the switch is on no more."""
    administer(bench.world, env=[{"name": "RATE_LIMIT_MODE", "value": "direct"}])
    await bench.quiet()
    action = await made(bench, KNOWN[ENABLE_REQUEST_QUEUE.name])
    administer(bench.world, env=[{"name": "RATE_LIMIT_MODE", "value": value}])
    await bench.quiet()
    sent = len(bench.changing_requests())

    result = await bench.take(off(action))

    assert result.outcome is ActionOutcome.ALREADY_IN_PLACE
    assert why in result.detail
    assert QUEUE(bench.world) == value
    assert len(bench.changing_requests()) == sent
    assert switches_left_on(await bench.incident.read()) == ()
    assert await bench.escalations() == []


async def test_a_switch_that_was_on_before_the_incident_is_not_taken_off(bench: Bench) -> None:
    """The team may run with it: it is told of, and nobody is asked to remove it."""
    known = KNOWN[ENABLE_FALLBACK.name]
    await switched_on("POSTHOG_FALLBACK", "true")(bench.world)
    action = await known.planned(bench.world)
    result = await bench.take(action)

    assert result.outcome is ActionOutcome.ALREADY_IN_PLACE
    journal = await bench.incident.read()
    assert switches_left_on(journal) == (action,)
    assert switches_to_take_off(journal) == ()
