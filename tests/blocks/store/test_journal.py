"""The incident store keeps every journal whole, whoever writes."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import create_async_engine

from blocks.store.database.tables import EVENTS
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import UnknownIncident
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.events import (
    AlertJoined,
    EffectIntended,
    EffectSettled,
    IncidentClosed,
    IncidentOpened,
    NoteAdded,
)
from tests.blocks.journal_writers import (
    ALERT,
    AT,
    INCIDENT,
    NOTES,
    WRITERS,
    add_notes,
    alert_and_close,
    at_once,
    note_once,
    open_one,
    processes,
)

OTHER_ALERT = ALERT.model_copy(update={"service": "another-service"})
NOTE = NoteAdded(by="ana", text="called PostHog support")
CLOSED = IncidentClosed(outcome="recovered")
LATER = AT + timedelta(minutes=2)
MUCH_LATER = AT + timedelta(minutes=4)


@pytest.fixture
def store(url: str) -> IncidentStore:
    """A store without incidents."""
    return IncidentStore(url=SecretStr(url))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Processes that write at once."""
    with processes() as pool:
        yield pool


async def opened(store: IncidentStore) -> None:
    """Open the incident that the tests write to."""
    await store.open_incident(ALERT, incident_id=INCIDENT, at=AT)


async def test_alert_opens_an_incident_and_the_next_one_joins_it(store: IncidentStore) -> None:
    """One open incident per service: a further alert is noted in its journal."""
    first, is_new = await store.open_incident(ALERT, incident_id="inc-1", at=AT, environment="staging")
    assert (first.id, is_new, first.environment, first.opened_at) == ("inc-1", True, "staging", AT)
    again = ALERT.model_copy(update={"fingerprint": "again"})
    joined, is_new = await store.open_incident(again, incident_id="inc-2", at=AT + timedelta(minutes=1))
    assert (joined.id, is_new) == ("inc-1", False)
    assert [item.event for item in joined.journal] == [
        IncidentOpened(alert=ALERT, environment="staging", states_identities=True),
        AlertJoined(alert=again),
    ]
    with pytest.raises(UnknownIncident):
        await store.read("inc-2")


async def test_services_have_incidents_of_their_own(store: IncidentStore) -> None:
    """An open incident of one service does not take another's alerts."""
    await store.open_incident(ALERT, incident_id="inc-1", at=AT)
    other, is_new = await store.open_incident(OTHER_ALERT, incident_id="inc-2", at=AT)
    assert (other.id, is_new) == ("inc-2", True)


async def test_closing_frees_the_service(store: IncidentStore) -> None:
    """After the end, the next alert opens an incident of its own; the old journal can still be added to."""
    await opened(store)
    await store.append(INCIDENT, CLOSED, at=AT)
    new, is_new = await store.open_incident(ALERT, incident_id="inc-2", at=AT)
    assert (new.id, is_new) == ("inc-2", True)
    await store.append(INCIDENT, NOTE, at=AT)
    assert (await store.read(INCIDENT)).journal[-1].event == NOTE


async def test_journal_survives_reopening(url: str, store: IncidentStore) -> None:
    """Another process that opens the same file reads the same journal, times in UTC included."""
    await opened(store)
    await store.append(INCIDENT, NOTE, at=AT + timedelta(seconds=1))
    before = await store.read(INCIDENT)

    def read_anew() -> object:
        return asyncio.run(IncidentStore(url=SecretStr(url)).read(INCIDENT))

    assert await asyncio.to_thread(read_anew) == before
    assert [item.at for item in before.journal] == [AT, AT + timedelta(seconds=1)]


async def test_append_returns_what_was_recorded(store: IncidentStore) -> None:
    """Places count from one without a gap."""
    await opened(store)
    recorded = [await store.append(INCIDENT, NOTE, at=AT) for _ in range(3)]
    assert [item.seq for item in recorded] == [2, 3, 4]
    assert (await store.read(INCIDENT)).journal[1:] == tuple(recorded)


async def test_append_with_a_known_key_returns_what_stands_there(store: IncidentStore) -> None:
    """A repeated append changes nothing, whatever it brings; another incident has keys of its own."""
    await opened(store)
    await store.open_incident(OTHER_ALERT, incident_id="inc-2", at=AT)
    first = await store.append(INCIDENT, NOTE, at=AT, key="k")
    other = NoteAdded(by="bob", text="something else")
    assert await store.append(INCIDENT, other, at=AT + timedelta(hours=1), key="k") == first
    assert (await store.append("inc-2", other, at=AT, key="k")).event == other
    assert [item.event for item in (await store.read(INCIDENT)).journal[1:]] == [NOTE]


async def test_incidents_are_listed_newest_first(store: IncidentStore) -> None:
    """All or only the open ones, as many as asked for."""
    for number, service in enumerate(("a", "b", "c")):
        alert = ALERT.model_copy(update={"service": service})
        await store.open_incident(alert, incident_id=f"inc-{service}", at=AT + timedelta(minutes=number))
    await store.append("inc-b", CLOSED, at=AT)
    assert [item.id for item in await store.incidents()] == ["inc-c", "inc-b", "inc-a"]
    assert [item.id for item in await store.incidents(only_open=True)] == ["inc-c", "inc-a"]
    assert [item.id for item in await store.incidents(limit=1)] == ["inc-c"]


async def test_incident_that_was_never_opened_is_unknown(store: IncidentStore) -> None:
    """Neither reading nor writing makes one up."""
    with pytest.raises(UnknownIncident, match="no incident inc-9"):
        await store.read("inc-9")
    with pytest.raises(UnknownIncident, match="no incident inc-9"):
        await store.append("inc-9", NOTE, at=AT)
    with pytest.raises(UnknownIncident, match="no incident inc-9"):
        await store.append("inc-9", CLOSED, at=AT, key="closed")
    assert await store.incidents() == []


async def test_unreadable_event_is_not_skipped(url: str, store: IncidentStore) -> None:
    """A journal with an event of a type that this version does not know cannot be read at all."""
    await opened(store)
    engine = create_async_engine(url)
    async with engine.begin() as database:
        await database.execute(update(EVENTS).values(body='{"type": "SomethingNew"}'))
    await engine.dispose()
    with pytest.raises(ValidationError, match="SomethingNew"):
        await store.read(INCIDENT)


async def test_tasks_of_one_process_write_without_a_gap(store: IncidentStore) -> None:
    """Concurrent appends within one event loop each take a place of their own, from the very first use."""
    await asyncio.gather(*(store.open_incident(ALERT, incident_id=f"inc-{n}", at=AT) for n in range(5)))
    [incident] = await store.incidents()
    await asyncio.gather(*(store.append(incident.id, NOTE, at=AT) for _ in range(10)))
    assert [item.seq for item in (await store.read(incident.id)).journal] == list(range(1, 16))


async def test_processes_that_open_at_the_same_moment_open_one_incident(
    pool: ProcessPoolExecutor, url: str, store: IncidentStore
) -> None:
    """On a database that nobody has used before, too: one opens, the others join it."""
    results = await asyncio.to_thread(at_once, pool, open_one, url)
    assert sorted(is_new for _, is_new in results) == [False] * (WRITERS - 1) + [True]
    [winner] = {incident_id for incident_id, _ in results}
    [incident] = await store.incidents()
    assert incident.id == winner
    assert Counter(type(item.event) for item in incident.journal) == {
        IncidentOpened: 1,
        AlertJoined: WRITERS - 1,
    }


async def test_processes_that_append_at_once_keep_an_order_without_gaps(
    pool: ProcessPoolExecutor, url: str, store: IncidentStore
) -> None:
    """Nothing is lost or written over, and each writer's own order stays."""
    await opened(store)
    places = await asyncio.to_thread(at_once, pool, add_notes, url)
    journal = (await store.read(INCIDENT)).journal
    assert [item.seq for item in journal] == list(range(1, WRITERS * NOTES + 2))
    assert sorted(place for own in places for place in own) == list(range(2, WRITERS * NOTES + 2))
    for number in range(WRITERS):
        mine = [item.event for item in journal if isinstance(item.event, NoteAdded)]
        texts = [note.text for note in mine if note.by == f"writer-{number}"]
        assert texts == [str(note) for note in range(NOTES)]


async def test_processes_with_the_same_key_write_once_and_agree(
    pool: ProcessPoolExecutor, url: str, store: IncidentStore
) -> None:
    """All of them are told the one event that stands in the journal."""
    await opened(store)
    told = await asyncio.to_thread(at_once, pool, note_once, url)
    assert [item.event for item in (await store.read(INCIDENT)).journal[1:]] == told[:1]
    assert len(set(told)) == 1


async def test_alert_never_joins_an_incident_that_is_closed(
    pool: ProcessPoolExecutor, url: str, store: IncidentStore
) -> None:
    """While others open and close, every alert lands once, in a journal that was open when it came."""
    sent = await asyncio.to_thread(at_once, pool, alert_and_close, url)
    landed: list[str] = []
    for incident in await store.incidents(limit=1000):
        events = [item.event for item in incident.journal]
        assert [type(event) for event in events].index(IncidentClosed) == len(events) - 1, incident.id
        landed += [
            event.alert.fingerprint for event in events if isinstance(event, IncidentOpened | AlertJoined)
        ]
    assert sorted(landed) == sorted(fingerprint for own in sent for fingerprint in own)


def effect(name: str, outcome: EffectOutcome | None = None) -> Effect:
    """An effect of the runbook."""
    return Effect(
        id=f"{INCIDENT}/{name}",
        kind="kubernetes",
        target="a target",
        summary="a change",
        authority=Authority.approval("gate-1", "ana"),
        outcome=outcome,
    )


async def test_effects_since_are_those_of_all_incidents_as_last_known(store: IncidentStore) -> None:
    """Each once, with its newest outcome; what is older, and what only speaks of effects, is none."""
    await opened(store)
    await store.open_incident(OTHER_ALERT, incident_id="inc-2", at=AT)
    old, running, done = effect("old"), effect("running"), effect("done")
    settled = effect("done", EffectOutcome.APPLIED)
    await store.append(INCIDENT, EffectIntended(effect=old), at=AT)
    await store.append("inc-2", EffectIntended(effect=running), at=LATER)
    await store.append(INCIDENT, EffectIntended(effect=done), at=LATER)
    await store.append(INCIDENT, NoteAdded(by="ana", text='{"type":"EffectIntended"}'), at=LATER)
    await store.append(INCIDENT, EffectSettled(effect=settled), at=MUCH_LATER)

    def named(effects: list[Effect]) -> dict[str, EffectOutcome | None]:
        return {item.id.rpartition("/")[2]: item.outcome for item in effects}

    assert named(await store.effects_since(LATER)) == {"running": None, "done": EffectOutcome.APPLIED}
    assert named(await store.effects_since(MUCH_LATER)) == {"done": EffectOutcome.APPLIED}
    assert len(await store.effects_since(AT)) == 3
    assert await store.effects_since(MUCH_LATER + timedelta(seconds=1)) == []
