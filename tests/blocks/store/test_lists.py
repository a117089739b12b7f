"""Who looks at all incidents on a schedule finds each that needs it, however many there are."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.store.lists import (
    ids_beginning_with,
    incidents_that_lack,
    incidents_with_switches,
    note_switches_off,
    open_incidents,
)
from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.scale import SCALE
from runbook.actions.specs.undo import UNDO
from runbook.incidents.events import ActionFinished, IncidentClosed, NoteAdded
from runbook.incidents.incident import Incident
from tests.blocks.journal_writers import ALERT, AT

MINUTE = timedelta(minutes=1)
MANY = 60
"""More than a list for people shows."""


@pytest.fixture
def store(url: str) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(url))


async def opened(store: IncidentStore, number: int, *keys: str, closed_after: int | None = None) -> None:
    """Incident `number`, opened that many minutes after `AT`, with events of these keys."""
    name = f"inc-{number:02}"
    alert = ALERT.model_copy(update={"service": name})
    await store.open_incident(alert, incident_id=name, at=AT + number * MINUTE)
    for key in keys:
        await store.append(name, NoteAdded(by="ana", text=key), at=AT, key=key)
    if closed_after is not None:
        await store.append(name, IncidentClosed(outcome="recovered"), at=AT + closed_after * MINUTE)


def names(found: list[Incident]) -> list[str]:
    """Their ids, as they were listed."""
    return [incident.id for incident in found]


async def test_every_open_incident_is_listed(store: IncidentStore) -> None:
    """The oldest of many, too, newest first; of the closed ones, those closed since the time asked for."""
    for number in range(MANY):
        await opened(store, number)
    await opened(store, MANY, closed_after=99)
    await opened(store, MANY + 1, closed_after=100)
    every = [f"inc-{number:02}" for number in reversed(range(MANY))]
    assert names(await open_incidents(store)) == every
    assert names(await open_incidents(store, or_closed_since=AT + 100 * MINUTE)) == ["inc-61", *every]


def ended(name: ActionName, outcome: ActionOutcome = ActionOutcome.RECOVERED) -> ActionFinished:
    """The end of an action."""
    action = PlannedAction(id=f"1-{name.slug}", name=name, target="the workload", because="a test")
    return ActionFinished(result=ActionResult(action=action, outcome=outcome, detail="a test"))


async def test_incidents_are_found_by_the_switches_that_they_turned(store: IncidentStore) -> None:
    """Until it is noted of a closed one that none is left on; what turned no switch is not read."""
    for number, name in enumerate(
        (ENABLE_FALLBACK.name, ENABLE_REQUEST_QUEUE.name, SCALE.name, UNDO.name), 1
    ):
        await opened(store, number)
        await store.append(f"inc-{number:02}", ended(name), at=AT)
    await opened(store, 5, "finished:1-enable-fallback")
    assert names(await incidents_with_switches(store)) == ["inc-02", "inc-01"]

    await store.append("inc-01", IncidentClosed(outcome="recovered"), at=AT)
    await note_switches_off(store, ["inc-01", "inc-02"])  # the second one is still open
    assert names(await incidents_with_switches(store)) == ["inc-02"]


async def test_an_incident_is_found_by_the_beginning_of_its_id(store: IncidentStore) -> None:
    """The id itself comes first, then the newest; signs that are none of an id find nothing."""
    for number in (1, 10, 11, 12, 2):
        await opened(store, number)
    await opened(store, 100)
    assert await ids_beginning_with(store, "inc-10", limit=9) == ["inc-10", "inc-100"]
    assert await ids_beginning_with(store, "inc-1", limit=2) == ["inc-100", "inc-12"]
    for odd in ("INC-10", "inc-1%", "inc-1_", "inc-\ud800", "inc-\0", "inc-é", "'"):
        assert await ids_beginning_with(store, odd, limit=9) == []


async def test_incidents_are_found_by_the_evidence_they_lack(store: IncidentStore) -> None:
    """Once they are resolved, closed or not, until each collection is there."""
    await opened(store, 1, "resolved", "evidence:resolution", closed_after=5)
    await opened(store, 2, "resolved", "evidence:resolution", "evidence:after-1h", closed_after=5)
    await opened(store, 3, "resolved")
    await opened(store, 4)
    assert names(await incidents_that_lack(store, ["resolution", "after-1h"])) == ["inc-03", "inc-01"]
    assert names(await incidents_that_lack(store, ["resolution"])) == ["inc-03"]
    assert await incidents_that_lack(store, []) == []


async def test_after_a_reopening_the_evidence_of_the_last_end_counts(store: IncidentStore) -> None:
    """What was collected after the end before is of another time."""
    first, second = ("resolved", "evidence:after-1h", "reopened:1"), ("resolved:2",)
    await opened(store, 1, *first, *second, "evidence:after-1h-2")
    await opened(store, 2, *first, *second)
    await opened(store, 3, *first)  # it goes on
    await opened(store, 4, "merged", "reopened:1", "resolved:2")
    assert names(await incidents_that_lack(store, ["after-1h"])) == ["inc-04", "inc-02"]
