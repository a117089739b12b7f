"""The self-watch's requests and its memory: a round, a sign of life, and one call at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.self_watch import SelfWatch
from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from blocks.store.self_watch_log import (
    KEPT,
    begin_page,
    complete_round,
    last_good_round,
    note_ended,
    note_told,
    open_page,
)
from blocks.transport.errors import OutsideError, Refused, Unavailable
from runbook.alerts.alert import Alert
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received
from runbook.alerts.sources import SELF_WATCH
from runbook.alerts.sources.self_watch import payload

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REAL = Alert(source="alertmanager", service="s", name="A", summary="x", fingerprint="r1")


def watch(httpserver: HTTPServer) -> SelfWatch:
    """A self-watch all of whose addresses are the test's server."""
    return SelfWatch(
        every=60,
        receiver_url=httpserver.url_for("/"),
        token=SecretStr("a-token"),
        ping_url=SecretStr(httpserver.url_for("/ping/8c1f")),
        alertmanager_url=SecretStr(httpserver.url_for("/")),
    )


async def test_a_sign_of_life_for_alertmanager_ends_by_itself(httpserver: HTTPServer) -> None:
    """The alert says until when it holds: four intervals, so that a late round is no trouble."""
    httpserver.expect_oneshot_request("/api/v2/alerts", method="POST").respond_with_data("")
    await watch(httpserver).renew_alert("staging", at=AT)
    [(request, _)] = httpserver.log
    [alert] = request.json
    assert alert["labels"] == {"alertname": "RunbookAlive", "environment": "staging", "severity": "none"}
    assert alert["endsAt"] == "2026-11-22T03:04:00+00:00"


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Refused), (302, Refused), (429, Unavailable), (503, Unavailable)]
)
async def test_a_ping_that_was_not_taken_is_told_without_its_address(
    httpserver: HTTPServer, status: int, kind: type[OutsideError]
) -> None:
    """Whoever knows the address could feign that all is well."""
    httpserver.expect_request("/ping/8c1f").respond_with_data("no check 8c1f", status=status)
    with pytest.raises(kind) as caught:
        await watch(httpserver).ping()
    assert f"HTTP {status}" in str(caught.value)
    assert "8c1f" not in repr(caught.value)


async def test_nothing_is_told_where_nobody_is_configured() -> None:
    """Both addresses may be left out."""
    alone = SelfWatch(receiver_url="http://127.0.0.1:1", token=SecretStr("t"))
    await alone.ping()
    await alone.renew_alert("staging", at=AT)


@pytest.fixture
def store(url: str) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(url))


def synthetic(round_id: str, at: datetime = AT) -> Message:
    """The alert of a round, as the receiver translates it."""
    [alert] = SELF_WATCH.translate(payload(round_id), "s")
    return Message(alert, at)


async def take(store: IncidentStore, *messages: Message) -> list[Received]:
    """Take the messages of one batch."""
    return await receive(store, messages, environment="test", new_id=lambda _: "inc-1", flapping_episodes=5)


async def test_a_round_is_beside_the_incidents(store: IncidentStore) -> None:
    """In one batch with an alert of its service it joins nothing, and sent again it sends nothing back."""
    taken = await take(store, synthetic("r1"), Message(REAL, AT), synthetic("r1"))
    taken += await take(store, synthetic("r1"))
    assert [one.meaning for one in taken] == [Meaning.NOTED, Meaning.BEGAN, Meaning.NOTED, Meaning.NOTED]
    assert [one.incident for one in taken] == ["", "inc-1", "", ""]
    [incident] = await store.incidents()
    assert len(incident.journal) == 1
    assert await last_good_round(store, "test") is None
    assert await complete_round(store, "r1", broken="", at=AT + MINUTE)
    assert await last_good_round(store, "test") == AT + MINUTE
    assert await last_good_round(store, "another") is None


async def test_a_round_counts_when_it_went_well_and_was_received(store: IncidentStore) -> None:
    """A broken one is no sign of life, and one that the receiver never stored cannot be completed."""
    await take(store, synthetic("broken"))
    assert await complete_round(store, "broken", broken="blind", at=AT)
    assert not await complete_round(store, "never received", broken="", at=AT)
    assert await last_good_round(store, "test") is None


async def test_rounds_of_long_ago_are_removed(store: IncidentStore) -> None:
    """The table stays small by itself."""
    later = AT + KEPT + MINUTE
    await take(store, synthetic("old"), synthetic("new", later))
    await complete_round(store, "new", broken="", at=later)
    assert not await complete_round(store, "old", broken="", at=later)


async def test_there_is_one_call_at_a_time(store: IncidentStore) -> None:
    """Worker and receiver may notice together; the first one's reason stands until the call has ended."""
    calls = await asyncio.gather(*(begin_page(store, "test", because=f"reason {n}", at=AT) for n in range(4)))
    assert len({call.id for call in calls}) == 1
    call = calls[0]
    assert not call.told
    await note_told(store, call)
    again = await begin_page(store, "test", because="another", at=AT + MINUTE)
    assert (again.id, again.because, again.at, again.told) == (call.id, call.because, AT, True)
    assert (await begin_page(store, "another", because="theirs", at=AT)).id != call.id

    await note_ended(store, call, at=AT + MINUTE)
    assert await open_page(store, "test") is None
    assert (await begin_page(store, "test", because="anew", at=AT + 2 * MINUTE)).because == "anew"
