"""Incidents that people end, merge and reopen, in each database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from blocks.store.lists import open_incident_of
from blocks.store.overview import overview
from blocks.transport.errors import Unavailable
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received
from runbook.approvals.ends import NotOpen
from runbook.incidents import events as e
from runbook.incidents.state import State

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BY_CHECKS = e.IncidentResolved(outcome="recovered", because=())
BY_ANA = e.IncidentResolved(outcome="not_ours", because=("theirs",), by="ana")


@pytest.fixture
def store(url: str) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(url))


async def take(
    store: IncidentStore, name: str = "A", *, service: str = "s", minute: float = 0, **fields: Any
) -> Received:
    """A message about an alert, so many minutes after the first; reopening is possible for an hour."""
    given: dict[str, Any] = {"source": "alertmanager", "summary": "x", "fingerprint": name} | fields
    at = AT + minute * MINUTE
    [received] = await receive(
        store,
        [Message(Alert(service=service, name=name, **given), at)],
        environment="test",
        new_id=lambda at: f"inc-{(at - AT).seconds}-{service}",
        flapping_episodes=9,
        reopen_within=60 * MINUTE,
    )
    return received


async def end(store: IncidentStore, incident: str, resolved: e.Event = BY_CHECKS, *, minute: float) -> None:
    """End an incident and close it."""
    at = AT + minute * MINUTE
    number = (await store.read(incident)).reopened
    if isinstance(resolved, e.IncidentResolved):
        resolved = resolved.model_copy(update={"reopened": number})
    await store.append(incident, resolved, at=at, key=resolved.journal_key)
    closed = e.IncidentClosed(outcome="x", reopened=number)
    await store.append(incident, closed, at=at, key=closed.journal_key)


async def test_its_own_alert_reopens_an_incident_soon_after_its_end(store: IncidentStore) -> None:
    """Under its number, as often as that happens; a response has to be started for it each time."""
    first = await take(store)
    for number, minute in enumerate((10, 30), start=1):
        await end(store, first.incident, minute=minute)
        again = await take(store, minute=minute + 5)
        assert (again.incident, again.opened, again.reopened) == (first.incident, False, True)
        told = await store.read(first.incident)
        assert (told.reopened, told.state) == (number, State.INVESTIGATING)
        seen = await overview(store)
        assert seen.unstarted == {first.incident: AT + (minute + 5) * MINUTE}
        started = e.RunStarted(flow_run_id=f"run-{number}")
        await store.append(first.incident, started, at=AT + 31 * MINUTE, key=started.journal_key)
        assert (await overview(store)).unstarted == {}


async def test_another_alert_or_a_later_one_opens_another_incident(store: IncidentStore) -> None:
    """What was over for an hour is over."""
    first = await take(store)
    await end(store, first.incident, minute=10)
    other = await take(store, "B", minute=20)
    assert other.opened
    await end(store, other.incident, minute=21)
    late = await take(store, minute=75)
    assert (late.opened, late.reopened) == (True, False)


async def test_an_alert_that_fires_on_does_not_reopen_what_a_person_has_ended(store: IncidentStore) -> None:
    """They know of it; after an hour, or when it begins anew, it is told again."""
    first = await take(store, starts_at=AT)
    await end(store, first.incident, BY_ANA, minute=10)
    assert (await take(store, starts_at=AT, minute=11)).meaning is Meaning.REPEATED
    assert (await take(store, starts_at=AT, minute=69)).meaning is Meaning.REPEATED
    assert (await take(store, starts_at=AT, minute=70)).opened
    other = await take(store, service="t", starts_at=AT)
    await end(store, other.incident, BY_ANA, minute=10)
    anew = await take(store, service="t", starts_at=AT + 12 * MINUTE, minute=12)
    assert (anew.incident, anew.reopened) == (other.incident, True)


async def test_the_alerts_of_a_merged_incident_belong_to_the_other_one(store: IncidentStore) -> None:
    """So the same cause opens no second incident; nor when the other one is merged in turn."""
    a, b, c = [await take(store, service=service) for service in ("a", "b", "c")]
    await end(store, a.incident, e.IncidentMerged(into=b.incident, by="ana"), minute=1)
    joined = await take(store, "A2", service="a", minute=2)
    assert (joined.incident, joined.opened) == (b.incident, False)
    await end(store, b.incident, e.IncidentMerged(into=c.incident, by="ana"), minute=3)
    assert [(await take(store, "A3", service=name, minute=4)).incident for name in ("a", "b")] == [
        c.incident,
        c.incident,
    ]
    assert (await take(store, service="a", minute=5)).meaning is Meaning.REPEATED
    over = await take(store, "A3", service="a", minute=6, status=AlertStatus.RESOLVED)
    assert over.incident == c.incident
    await end(store, c.incident, minute=7)
    assert (await take(store, "A4", service="a", minute=8)).opened


async def test_an_alert_of_a_merged_incident_reopens_the_one_that_went_on_for_it(
    store: IncidentStore,
) -> None:
    """Soon after the end of that one; the merged incident stays what it is."""
    a, b, c = [await take(store, service=service) for service in ("a", "b", "c")]
    await end(store, a.incident, e.IncidentMerged(into=b.incident, by="ana"), minute=1)
    await end(store, b.incident, e.IncidentMerged(into=c.incident, by="ana"), minute=2)
    await end(store, c.incident, minute=30)
    again = await take(store, service="a", minute=65)
    assert (again.incident, again.opened, again.reopened) == (c.incident, False, True)
    assert [(await store.read(one.incident)).closed for one in (a, b, c)] == [True, True, False]
    assert (await take(store, "B2", service="b", minute=66)).incident == c.incident
    await end(store, c.incident, minute=70)
    late = await take(store, service="a", minute=131)
    assert (late.opened, late.reopened) == (True, False)


async def test_alerts_move_with_their_incident_before_its_run_has_closed_it(store: IncidentStore) -> None:
    """What is left of the other one's alerts decides when all are over, and whether a person knows them."""
    a, b = [await take(store, service=service, starts_at=AT) for service in ("a", "b")]
    merged, absorbed = merger(a.incident, b.incident)
    await store.merge(a.incident, merged, absorbed, at=AT + MINUTE)
    joined = await take(store, "A2", service="a", minute=2)
    assert (joined.incident, joined.opened) == (b.incident, False)
    gone = {"status": AlertStatus.RESOLVED}
    assert not (await take(store, service="b", minute=3, **gone)).over
    assert not (await take(store, "A2", service="a", minute=3, **gone)).over
    over = await take(store, service="a", minute=4, starts_at=AT, **gone)
    assert (over.incident, over.over) == (b.incident, True)
    assert (await store.read(b.incident)).alerts_over


async def test_an_alert_of_a_merged_incident_is_known_to_who_ends_the_other(store: IncidentStore) -> None:
    """It does not reopen the merged one in the next minute."""
    a, b = [await take(store, service=service, starts_at=AT) for service in ("a", "b")]
    await store.merge(a.incident, *merger(a.incident, b.incident), at=AT + MINUTE)
    await store.append(a.incident, e.IncidentClosed(outcome="merged"), at=AT + 2 * MINUTE, key="closed")
    await end(store, b.incident, BY_ANA, minute=10)
    for service in ("a", "b"):
        assert (await take(store, service=service, starts_at=AT, minute=11)).meaning is Meaning.REPEATED


async def test_a_merger_is_in_both_journals_or_in_none(store: IncidentStore) -> None:
    """Not in that of the other one where that has ended meanwhile, or where this one has."""
    a, b, c = [(await take(store, service=service)).incident for service in ("a", "b", "c")]
    await store.append(b, BY_CHECKS, at=AT, key=BY_CHECKS.journal_key)
    with pytest.raises(NotOpen, match=b):
        await store.merge(a, *merger(a, b), at=AT)
    assert [len((await store.read(one)).journal) for one in (a, b)] == [1, 2]
    before = await store.merge(b, *merger(b, a), at=AT)
    assert (before.event, len((await store.read(a)).journal)) == (BY_CHECKS, 1)
    for _ in range(2):
        assert isinstance((await store.merge(a, *merger(a, c), at=AT)).event, e.IncidentMerged)
    assert [len((await store.read(one)).journal) for one in (a, c)] == [2, 2]


async def test_two_incidents_are_not_merged_into_each_other(store: IncidentStore) -> None:
    """Nobody would respond to either."""
    a, b = [(await take(store, service=service)).incident for service in ("a", "b")]
    ways = (store.merge(a, *merger(a, b), at=AT), store.merge(b, *merger(b, a), at=AT))
    done = await asyncio.gather(*ways, return_exceptions=True)
    assert sorted(type(it).__name__ for it in done) == ["NotOpen", "Recorded"]
    ended = [(await store.read(one)).resolved for one in (a, b)]
    assert sorted(ended) == [False, True]


async def test_a_merged_incident_that_is_reopened_can_take_the_other_one(store: IncidentStore) -> None:
    """What was merged into that one comes along."""
    a, b, c = [(await take(store, service=service)).incident for service in ("a", "b", "c")]
    await store.merge(c, *merger(c, b), at=AT)
    await store.merge(a, *merger(a, b), at=AT)
    await store.append(a, e.IncidentClosed(outcome="merged"), at=AT, key="closed")
    await store.append(a, e.IncidentReopened(because="it is another", by="ana"), at=AT, key="reopened:1")
    await store.merge(b, *merger(b, a), at=AT)
    assert [(await take(store, "new", service=name, minute=1)).incident for name in "abc"] == [a, a, a]


def merger(incident: str, into: str) -> tuple[e.IncidentMerged, e.IncidentAbsorbed]:
    """What both journals say of a merger by ana."""
    merged = e.IncidentMerged(into=into, by="ana")
    return merged, e.IncidentAbsorbed(incident=incident, service="s", by="ana")


async def test_a_service_never_has_two_open_incidents(store: IncidentStore) -> None:
    """One that was closed is not reopened beside another, by whoever."""
    first = await take(store)
    await end(store, first.incident, minute=1)
    second = await take(store, "B", minute=2)
    assert await open_incident_of(store, "s") == second.incident
    again = e.IncidentReopened(because="again", by="ana")
    with pytest.raises(Unavailable):
        await store.append(first.incident, again, at=AT + 3 * MINUTE, key=again.journal_key)
    assert (await store.read(first.incident)).closed
    assert await open_incident_of(store, "s") == second.incident
