"""The receiver's store is full, gone or another one: senders and operators hear so, a person is called."""

import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.database.engines import database
from blocks.store.journal import IncidentStore
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.settings import write_settings
from deployments.drill.world.world import World
from deployments.receiver import store_watch
from deployments.receiver.launch import PrefectResponses
from deployments.settings.settings import load_settings
from runbook.caretaking import store_trouble
from runbook.caretaking.store_trouble import PAGE_AFTER, PAGE_AGAIN_AFTER, is_due
from tests.deployments.receiver_bench import (
    AUTHORIZED,
    Prefect,
    eventually,
    notification,
    sent_alert,
    serving,
)
from tests.fixtures.own_disk import fill, small_disk

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that looks often, and calls at once."""
    monkeypatch.setattr(store_watch, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(store_trouble, "PAGE_AFTER", timedelta(0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "store"


@pytest.fixture
async def prefect() -> Prefect:
    """Prefect, up; and whoever is called."""
    return Prefect()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """No room is left on its disk."""
    filler = fill(folder)
    yield
    filler.unlink()


@contextmanager
def deleted(folder: Path) -> Iterator[None]:
    """Its file is gone."""
    (folder / "incidents.db").rename(folder / "aside")
    yield
    (folder / "aside").rename(folder / "incidents.db")


@contextmanager
def replaced(folder: Path) -> Iterator[None]:
    """Another one is in its place, from one moment to the next."""
    shutil.copyfile(folder / "other.db", folder / "new.db")
    (folder / "aside").hardlink_to(folder / "incidents.db")
    (folder / "new.db").replace(folder / "incidents.db")
    yield
    (folder / "aside").replace(folder / "incidents.db")


SAID: dict[Callable[[Path], AbstractContextManager[None]], tuple[str, str]] = {
    full: ("the database's disk is full", "Free space on its disk"),
    deleted: ("is gone", "Put it back; to start over with the present file, stop the runbook and delete "),
    replaced: ("the database has changed", "Put it back; to start over with the present file"),
}


@pytest.fixture
async def client(folder: Path, prefect: Prefect) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a receiver whose store has a small disk of its own."""
    with small_disk(folder, kib=1024):
        other = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/other.db"))
        await other.in_transaction(
            lambda connection: connection.exec_driver_sql("PRAGMA user_version").scalar()
        )
        await _closed(other)
        store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/incidents.db"))
        async with serving(store, prefect) as connected:
            yield connected
        await _closed(store)


async def _closed(store: IncidentStore) -> None:
    await database(store.url.get_secret_value()).disconnect()


async def send(client: httpx.AsyncClient, number: int) -> httpx.Response:
    """Send an alert that nobody has sent before, of some size."""
    alert = sent_alert(f"Alert{number}", service=f"service-{number}")
    alert["annotations"]["description"] = f"{number} " * 2_000
    return await client.post("/alerts/alertmanager", json=notification(alert), headers=AUTHORIZED)


async def until_refused(client: httpx.AsyncClient, *, times: int) -> list[httpx.Response]:
    """Send alerts until so many were not taken, sixty at most; those answers."""
    refused: list[httpx.Response] = []
    for number in range(1, 60):
        answer = await send(client, number)
        if answer.status_code != 202:
            refused.append(answer)
        if len(refused) == times:
            return refused
    raise AssertionError(f"only {len(refused)} of sixty alerts were refused")


@pytest.mark.parametrize("trouble", SAID)
async def test_trouble_is_told_to_all_and_a_person_is_called_once(
    client: httpx.AsyncClient,
    prefect: Prefect,
    folder: Path,
    trouble: Callable[[Path], AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """503 to senders, not ready with the reason and the next step, one call; it all ends with the trouble."""
    caplog.set_level(logging.INFO, "runbook.receiver")
    reason, next_step = SAID[trouble]
    accepted = await send(client, 0)
    assert accepted.status_code == 202, accepted.text
    assert (await client.get("/readyz")).status_code == 200
    with trouble(folder):
        refused = await until_refused(client, times=5)
        assert {answer.status_code for answer in refused} == {503}
        assert reason in refused[-1].json()["error"]  # the first may have been under way when it happened
        assert refused[-1].json()["next_step"] == "Send the alert again"
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert reason in ready.json()["error"]
        assert ready.json()["next_step"].startswith(next_step)
        others = await client.get("/readyz", headers={"x-forwarded-for": "198.51.100.7"})
        assert others.status_code == 503
        assert str(folder) not in others.text
        assert others.json()["next_step"] == "See the receiver's log"
        await eventually(lambda: prefect.called_about_the_store)
        assert "runbook_store_writable 0.0" in (await client.get("/metrics")).text
        assert (await client.get("/healthz")).status_code == 200
    await eventually(lambda: prefect.store_works_again)
    assert (await send(client, 100)).status_code == 202
    assert (await client.get("/readyz")).status_code == 200
    [called] = prefect.called_about_the_store
    assert reason in called
    assert next_step in called
    assert prefect.store_works_again == 1
    logged = [record.getMessage() for record in caplog.records if record.name == "runbook.receiver"]
    for event in ("alerts cannot be kept", "person paged", "alerts are kept again"):
        assert event in logged


@pytest.mark.proof
async def test_what_was_answered_with_202_is_there_after_the_disk_was_full(
    client: httpx.AsyncClient, folder: Path
) -> None:
    """No alert is accepted halfway: each one is in the store, or its sender was told to try again."""
    accepted = set()
    with full(folder):
        for number in range(60):
            answer = await send(client, number)
            if answer.status_code == 202:
                accepted.add(answer.json()["incidents"][0]["id"])
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/incidents.db"))
    assert {incident.id for incident in await store.incidents(limit=1000)} == accepted


@pytest.mark.parametrize(
    ("began", "called", "due"),
    [
        (timedelta(seconds=29), None, False),
        (PAGE_AFTER, None, True),
        (timedelta(hours=5), timedelta(minutes=59), False),
        (timedelta(hours=5), PAGE_AGAIN_AFTER, True),
    ],
)
def test_a_call_is_made_after_a_while_and_repeated_rarely(
    began: timedelta, called: timedelta | None, due: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute is a restart; an hour without relief is a call that went unheard."""
    monkeypatch.setattr(store_trouble, "PAGE_AFTER", PAGE_AFTER)
    paged_at = None if called is None else AT - called
    assert is_due(since=AT - began, paged_at=paged_at, now=AT) is due


async def test_the_call_goes_out_by_pager_and_channel_without_a_store(tmp_path: Path) -> None:
    """Both are reached with the settings alone, once for both of two calls; the relief ends the page."""
    async with World(load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False) as world:
        url = f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/incidents.db"
        config = write_settings(world.endpoints, tmp_path, store_url=url, evidence=tmp_path / "evidence")
        store = IncidentStore(url=SecretStr(url))
        responses = PrefectResponses(store, load_settings(config, systems=False))
        since = datetime.now(UTC) - timedelta(minutes=2)
        for _ in range(2):
            assert await responses.page_about_the_store("incident store: its disk is full. Free space", since)
        assert await responses.end_the_page_about_the_store(since)

        sent = [request["body"] for request in world.requests("pagerduty", None)]
        assert [body["event_action"] for body in sent] == ["trigger", "trigger", "resolve"]
        assert {body["dedup_key"] for body in sent} == {"runbook-store-default"}
        assert "has not been able to store alerts since" in sent[0]["payload"]["summary"]
        assert "its disk is full. Free space" in sent[0]["payload"]["summary"]
        said = [message["text"] for message in world.systems.slack.messages]
        assert [text[:1] for text in said] == ["🗄", "✅"]
