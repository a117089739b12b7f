"""A store of any earlier release is brought up to date with what is in it, once, or not touched at all."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, text

from blocks.store.alerts import receive
from blocks.store.database.schema import HEAD, VERSIONS
from blocks.store.database.tables import METADATA, STORE
from blocks.store.journal import IncidentStore
from blocks.store.migrations.upgrade import migrate, revisions
from blocks.transport.errors import Refused, Unavailable
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message
from runbook.incidents.events import EVENT, NoteAdded, Recorded, RunStarted
from tests.blocks import earlier_stores as earlier
from tests.blocks.earlier_stores import AT, INCIDENT, connected, layout, look, rows
from tests.blocks.journal_writers import WRITERS, at_once, count_incidents, processes

SENT_AGAIN = Alert(
    source="alertmanager", service="posthog-integration", name="A", summary="5xx", fingerprint="f1"
)


def store_at(url: str) -> IncidentStore:
    """The store, as this release opens it."""
    return IncidentStore(url=SecretStr(url))


def incidents_seen_by_another(url: str) -> list[str]:
    """What a process sees that opens the store for the first time: each event loop has its own engine."""
    return [incident.id for incident in asyncio.run(store_at(url).incidents())]


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Processes that open a store at once."""
    with processes() as pool:
        yield pool


def differences(connection: Connection) -> object:
    """What alembic would change to get from the database to the tables that the code describes."""
    options = {"version_table": VERSIONS.name}
    return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


def version(connection: Connection) -> object:
    """The version that the database says it has."""
    return connection.execute(text(f"SELECT version_num FROM {VERSIONS.name}")).scalar_one()  # noqa: S608


@pytest.mark.parametrize("made_by", earlier.VERSIONS)
async def test_a_store_of_an_earlier_release_is_upgraded_with_its_rows(url: str, made_by: str) -> None:
    """Every row is there as it was, in the columns that it had; the tables are those of a new store."""
    await earlier.make(url, made_by)
    before = await look(url, rows)
    assert [incident.id for incident in await store_at(url).incidents()] == [INCIDENT]
    after = await look(url, rows)
    before.pop(VERSIONS.name, None)
    for table, kept in before.items():
        assert [{name: row[name] for name in kept[0]} for row in after[table]] == kept
    assert len(after[STORE.name]) == 1  # its id
    assert all(after[table] == [] for table in METADATA.tables.keys() - before.keys() - {STORE.name})
    assert await look(url, version) == HEAD
    assert await look(url, differences) == []


@pytest.mark.parametrize("made_by", earlier.VERSIONS)
async def test_a_journal_of_an_earlier_release_is_read_and_continued(url: str, made_by: str) -> None:
    """Each event that it wrote means what it meant; notes, leases and alerts go on from there."""
    await earlier.make(url, made_by)
    store = store_at(url)
    frozen = [Recorded.model_validate(line) for line in earlier.frozen_journal(made_by)]
    assert list((await store.read(INCIDENT)).journal) == frozen
    note = await store.append(INCIDENT, NoteAdded(by="ana", text="after the upgrade"), at=AT)
    assert note.seq == len(frozen) + 1
    token, _ = await store.take_lease("deployment/web", INCIDENT, at=AT, until=AT + timedelta(minutes=2))
    assert token == (1 if made_by == "0001" else 8)
    [received] = await receive(
        store,
        [Message(SENT_AGAIN, AT + timedelta(minutes=1))],
        environment="test",
        new_id=lambda _: "another incident",
        flapping_episodes=5,
    )
    assert received.incident == INCIDENT


_FINISHED = text(
    "INSERT INTO events (incident_id, seq, key, at, body) "
    "SELECT incident_id, 99, :key, at, body FROM events WHERE incident_id = :id AND seq = 1"
)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("finished:2-enable-fallback", True),
        ("finished:12-enable-request-queue", True),
        ("finished:1-enable-fallback-undo", False),
        ("finished:1-scale", False),
    ],
)
async def test_a_switch_that_an_earlier_release_turned_on_is_looked_after(
    url: str, key: str, found: bool
) -> None:
    """It knew them by the keys of its journals."""
    await earlier.make(url, "0004")
    async with connected(url) as connection:
        kept = text("DELETE FROM events WHERE key LIKE 'finished:%'")
        await connection.execute(kept)
        await connection.execute(_FINISHED, {"id": INCIDENT, "key": key})
    async with store_at(url)._reading() as connection:
        marked = (await connection.execute(text("SELECT switch_may_be_on FROM incidents"))).scalars().all()
    assert [bool(mark) for mark in marked] == [found]


_STARTED = text(
    "INSERT INTO events (incident_id, seq, key, at, body) "
    "SELECT :id, :seq, :key, at, :body FROM events WHERE seq = 1"
)


@pytest.mark.parametrize(
    ("runs", "rehearsal"),
    [([False], False), ([True], True), ([True, True], True), ([False, True], False), ([], False)],
)
async def test_a_rehearsal_of_an_earlier_release_is_recognised(
    url: str, runs: list[bool], rehearsal: bool
) -> None:
    """The run that opened it said so. The alert that it had swallowed opens an incident of its own."""
    await earlier.make(url, "0004")
    async with connected(url) as connection:
        await connection.execute(text("DELETE FROM events WHERE seq > 1"))
        for number, dry_run in enumerate(runs, start=2):
            body = EVENT.dump_json(RunStarted(flow_run_id=f"run-{number}", dry_run=dry_run)).decode()
            row = {"id": INCIDENT, "seq": number, "key": f"run:{number}", "body": body}
            await connection.execute(_STARTED, row)
    store = store_at(url)
    assert (await store.read(INCIDENT)).dry_run is rehearsal

    [received] = await receive(
        store,
        [Message(SENT_AGAIN, AT + timedelta(minutes=1))],
        environment="test",
        new_id=lambda _: "a real one",
        flapping_episodes=5,
    )

    assert (received.incident, received.opened) == (("a real one", True) if rehearsal else (INCIDENT, False))
    joined, is_new = await store.open_incident(SENT_AGAIN, incident_id="x", at=AT, dry_run=True)
    assert (joined.id, is_new) == ((INCIDENT, False) if rehearsal else ("x", True))


@pytest.mark.parametrize("made_by", earlier.VERSIONS)
def test_a_frozen_journal_loses_nothing_when_it_is_read(made_by: str) -> None:
    """What a reader of today would write of an old event holds all that stood in it."""
    for line in earlier.frozen_journal(made_by):
        written = EVENT.dump_python(EVENT.validate_python(line["event"]), mode="json")
        assert holds(written, line["event"]), line["event"]["type"]


async def test_names_with_a_secret_are_known_by_their_masked_form(url: str) -> None:
    """What an earlier release knew of an alert is found again, and the store shows its secret no more."""
    secret = "phx_canary0Q7zX4bV9nM2kL8"
    service, fingerprint = f"api {secret}", f"alert-{secret}"
    await earlier.make(url, "0003")
    async with connected(url) as connection:
        await connection.execute(text("UPDATE incidents SET service = :it"), {"it": service})
        for table in ("alerts", "episodes"):
            named = {"it": service, "key": fingerprint}
            await connection.execute(text(f"UPDATE {table} SET service = :it, key = :key"), named)  # noqa: S608
        await connection.execute(text("UPDATE deliveries SET delivery = :it"), {"it": secret})
    end = SENT_AGAIN.model_copy(
        update={"service": service, "fingerprint": fingerprint, "status": AlertStatus.RESOLVED}
    )
    replay = Alert(source="pagerduty", service=service, name="A", summary="x", delivery=secret)
    received = await receive(
        store_at(url),
        [Message(replay, AT + timedelta(minutes=1)), Message(end, AT + timedelta(minutes=2))],
        environment="test",
        new_id=lambda _: "another incident",
        flapping_episodes=5,
    )
    assert [(one.meaning, one.incident) for one in received] == [(None, INCIDENT), (Meaning.ENDED, INCIDENT)]
    assert secret not in str(await look(url, rows))


def holds(written: object, wanted: object) -> bool:
    """Whether everything that is wanted is written; fields that are younger may stand beside it."""
    if isinstance(wanted, dict) and isinstance(written, dict):
        return all(key in written and holds(written[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(written, list):
        return len(written) == len(wanted) and all(map(holds, written, wanted))
    return written == wanted


async def test_all_revisions_make_the_tables_that_a_new_store_has(url: str) -> None:
    """A new store is made at once, from the tables' description: the revisions come to the same."""
    async with connected(url) as connection:
        await connection.run_sync(migrate)
    migrated = await look(url, layout)
    assert await look(url, differences) == []
    async with connected(url) as connection:
        for table in migrated:
            await connection.execute(text(f"DROP TABLE {table}"))
    await store_at(url).check()
    assert await look(url, layout) == migrated


def test_the_newest_revision_is_the_version_of_the_tables() -> None:
    """There is one, and a store that is up to date is known by it."""
    assert revisions().get_heads() == [HEAD]


@pytest.mark.parametrize("made_by", ["0001", "0003"])
async def test_processes_that_start_at_once_upgrade_once(
    pool: ProcessPoolExecutor, url: str, made_by: str
) -> None:
    """Receiver and worker of a new release start together: both find the upgraded store."""
    await earlier.make(url, made_by)
    assert await asyncio.to_thread(at_once, pool, count_incidents, url) == [1] * WRITERS
    assert await look(url, version) == HEAD
    assert await look(url, differences) == []


async def test_a_store_of_a_newer_release_is_refused_and_not_touched(url: str) -> None:
    """An old release would write what the newer one does not understand."""
    assert await asyncio.to_thread(incidents_seen_by_another, url) == []
    async with connected(url) as connection:
        await connection.execute(text(f"UPDATE {VERSIONS.name} SET version_num = '9999'"))  # noqa: S608
        await connection.execute(text("DROP TABLE episodes"))
    before = await look(url, layout), await look(url, rows)
    with pytest.raises(Refused, match=rf"version 9999.*up to {HEAD}") as refused:
        await store_at(url).incidents()
    assert "newer one" in str(refused.value)
    assert (await look(url, layout), await look(url, rows)) == before


async def test_tables_of_another_program_are_refused_and_not_touched(url: str) -> None:
    """Prefect's own database has a table `events`, too."""
    async with connected(url) as connection:
        await connection.execute(text("CREATE TABLE events (id INTEGER, occurred TEXT)"))
    before = await look(url, layout)
    with pytest.raises(Refused, match=r"the database has tables named events.*a separate database"):
        await store_at(url).incidents()
    assert await look(url, layout) == before


async def test_an_upgrade_that_dies_leaves_the_earlier_version(url: str) -> None:
    """Its last statement fails: none of what it did before is there, and the next start upgrades."""
    await earlier.make(url, "0001")
    async with connected(url) as connection:
        await connection.execute(text("CREATE TABLE one_open_call_per_environment (in_the_way INTEGER)"))
    before = await look(url, layout), await look(url, rows)
    with pytest.raises(Unavailable, match="the database refused"):
        await store_at(url).incidents()
    assert (await look(url, layout), await look(url, rows)) == before
    async with connected(url) as connection:
        await connection.execute(text("DROP TABLE one_open_call_per_environment"))
    assert [incident.id for incident in await store_at(url).incidents()] == [INCIDENT]
    assert await look(url, differences) == []


async def test_a_store_that_is_up_to_date_is_opened_while_somebody_writes(tmp_path: Path) -> None:
    """To look at the version takes no lock, which on SQLite only one process has."""
    url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
    assert await asyncio.to_thread(incidents_seen_by_another, url) == []
    async with connected(url) as connection:
        await connection.execute(text("BEGIN IMMEDIATE"))
        assert await store_at(url).incidents() == []


OPEN_TWICE = """
import asyncio, sys
from pydantic import SecretStr
from blocks.store.journal import IncidentStore

for turn in ("made", "opened"):  # each event loop has an engine of its own
    asyncio.run(IncidentStore(url=SecretStr(sys.argv[1])).check())
print([name for name in ("alembic", "mako") if name in sys.modules])
"""


def test_a_store_is_made_and_opened_without_alembic(tmp_path: Path) -> None:
    """Its import would take longer than all else that happens before an alert can be stored."""
    command = [sys.executable, "-c", OPEN_TWICE, f"sqlite+aiosqlite:///{tmp_path}/incidents.db"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
