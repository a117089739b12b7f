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
from sqlalchemy import Connection, text

from blocks.store.alerts import receive
from blocks.store.database.schema import HEAD, VERSIONS
from blocks.store.database.tables import METADATA, STORE
from blocks.store.migrations.upgrade import migrate, revisions
from blocks.transport.errors import Refused, Unavailable
from runbook.alerts.intake import Message
from runbook.incidents.events import EVENT, NoteAdded, Recorded
from tests.blocks import earlier_stores as earlier
from tests.blocks.earlier_stores import AT, INCIDENT, SENT_AGAIN, connected, layout, look, rows, store_at
from tests.blocks.journal_writers import WRITERS, at_once, count_incidents, processes


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


@pytest.mark.parametrize("made_by", earlier.VERSIONS)
def test_a_frozen_journal_loses_nothing_when_it_is_read(made_by: str) -> None:
    """What a reader of today would write of an old event holds all that stood in it."""
    for line in earlier.frozen_journal(made_by):
        written = EVENT.dump_python(EVENT.validate_python(line["event"]), mode="json")
        assert holds(written, line["event"]), line["event"]["type"]


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
