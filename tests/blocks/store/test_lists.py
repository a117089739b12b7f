"""Who looks at all incidents on a schedule finds each that needs it, however many there are."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.store.lists import incidents_that_finished, incidents_that_lack, open_incidents
from runbook.incidents.events import IncidentClosed, NoteAdded
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


async def test_incidents_are_found_by_what_they_have_finished(store: IncidentStore) -> None:
    """An action of that name, whatever its place in the plan; not the undoing of it, and not another's."""
    await opened(store, 1, "finished:1-enable-fallback", closed_after=5)
    await opened(store, 2, "finished:12-enable-fallback", "finished:2-scale")
    await opened(store, 3, "finished:1-enable-fallback-undo")
    await opened(store, 4, "finished:1-scale")
    await opened(store, 5, "asked:1-enable-fallback")
    assert names(await incidents_that_finished(store, ["enable-fallback"])) == ["inc-02", "inc-01"]
    assert names(await incidents_that_finished(store, ["scale", "enable-fallback"])) == [
        "inc-04",
        "inc-02",
        "inc-01",
    ]


async def test_incidents_are_found_by_the_evidence_they_lack(store: IncidentStore) -> None:
    """Once they are resolved, closed or not, until each collection is there."""
    await opened(store, 1, "resolved", "evidence:resolution", closed_after=5)
    await opened(store, 2, "resolved", "evidence:resolution", "evidence:after-1h", closed_after=5)
    await opened(store, 3, "resolved")
    await opened(store, 4)
    assert names(await incidents_that_lack(store, ["resolution", "after-1h"])) == ["inc-03", "inc-01"]
    assert names(await incidents_that_lack(store, ["resolution"])) == ["inc-03"]
    assert await incidents_that_lack(store, []) == []
