"""A store whose file is deleted, or replaced by another, says so, to whoever uses it, and how."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Unavailable
from tests.blocks.earlier_stores import connected
from tests.blocks.journal_writers import ALERT, AT, INCIDENT
from tests.blocks.store_files import (
    USES,
    copied,
    delete,
    inserted,
    is_there,
    mode_of,
    move,
    note,
    notes,
    path,
    store,
    store_at,
    url_of,
)
from tests.blocks.store_user import another_process
from tests.fixtures.postgres import PostgresCluster
from tests.fixtures.stores import disconnect_stores

__all__ = ["path", "store"]  # fixtures, found here


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_deleted_file_is_told_and_nothing_is_written_into_it(
    path: Path, store: IncidentStore, use: Callable[[IncidentStore], Awaitable[object]]
) -> None:
    """The error names the file and what to do; put back, it is the store that it was."""
    aside = path.with_name("aside")
    move(path, aside)
    with pytest.raises(Unavailable) as refused:
        await use(store)
    assert str(refused.value) == (
        f"incident store: its file {path} is gone. Put it back; to start over with the present "
        f"file, stop the runbook and delete {path.parent}/.incidents.db.store-id"
    )
    assert not is_there(path)
    move(aside, path)
    await note(store, "after")
    assert await notes(store) == ["before", "after"]


@pytest.mark.usefixtures("store")
async def test_a_process_that_starts_after_the_deletion_makes_no_empty_store(path: Path) -> None:
    """A run or a command would say that there is no incident; it says what the others say."""
    delete(path)
    with another_process(url_of(path)) as another:
        assert "is gone. Put it back" in another.write()["error"]
    assert not is_there(path)


@pytest.mark.usefixtures("store")
async def test_who_deletes_the_witness_begins_anew(path: Path) -> None:
    """That is what the error advises to whoever wants an empty store."""
    await disconnect_stores()
    for name in ("incidents.db", ".incidents.db.store-id"):
        delete(path.with_name(name))
    with another_process(url_of(path)) as another:
        assert another.write()["error"] == "no incident inc-1"
    assert is_there(path)
    assert mode_of(path.with_name(".incidents.db.store-id")) == 0o600


async def test_another_store_in_its_place_is_refused(path: Path, store: IncidentStore) -> None:
    """By a living process and by a new one; the right file, put back, is taken again."""
    other, aside = path.with_name("other.db"), path.with_name("aside")
    other_store = store_at(url_of(other))
    await other_store.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    await disconnect_stores()
    await store.check()
    move(path, aside)
    move(other, path)
    with pytest.raises(Unavailable, match=r"the database has changed.*Put it back") as refused:
        await note(store, "lost")
    assert "\n" not in str(refused.value)
    with pytest.raises(Unavailable, match="the database has changed"):
        await store.in_transaction(inserted)
    with another_process(url_of(path)) as another:
        assert "is not the store that was here before" in another.write()["error"]
    move(path, other)
    move(aside, path)
    assert await notes(store) == ["before"]


@pytest.mark.parametrize(
    ("exchanged", "said"), [(True, "the database has changed"), (False, "the database's disk is failing")]
)
async def test_an_error_of_the_disk_is_told_apart_from_an_exchanged_file(
    path: Path, store: IncidentStore, *, exchanged: bool, said: str
) -> None:
    """SQLite calls both an I/O error, where the file is exchanged after our look at it."""
    other, aside = path.with_name("other.db"), path.with_name("aside")
    await store_at(url_of(other)).open_incident(ALERT, incident_id=INCIDENT, at=AT)
    await disconnect_stores()
    await store.check()

    def fail(_connection: Connection) -> None:
        if exchanged:
            move(path, aside)
            move(other, path)
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error"))

    with pytest.raises(Unavailable, match=said):
        await store.in_transaction(fail)


async def test_a_copy_that_was_put_in_place_is_taken_and_told(
    path: Path, store: IncidentStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The same store with older contents: people wanted that. The log says what it may cost."""
    copy = copied(path)
    await note(store, "not in the copy")
    delete(path)
    move(copy, path)
    await note(store, "after")
    assert await notes(store) == ["before", "after"]
    told = [record.getMessage() for record in caplog.records if record.name == "runbook.store"]
    assert told == [f"{path} was replaced by a new file: the latest writes may be missing"]


async def test_what_is_written_while_the_file_is_deleted_is_not_called_durable(
    path: Path, store: IncidentStore
) -> None:
    """The commit goes into a file that nobody can open any more: its writer hears so, and tries again."""

    def delete_meanwhile(connection: Connection) -> None:
        inserted(connection)
        delete(path)

    with pytest.raises(Unavailable, match="is gone"):
        await store.in_transaction(delete_meanwhile)


async def test_what_is_written_while_the_file_is_replaced_is_not_called_durable(
    path: Path, store: IncidentStore
) -> None:
    """The same with a copy of the store in its place."""
    copy = copied(path)

    def replace_meanwhile(connection: Connection) -> None:
        inserted(connection)
        move(copy, path)

    with pytest.raises(Unavailable, match="the latest writes may be lost"):
        await store.in_transaction(replace_meanwhile)
    await store.in_transaction(inserted)


@pytest.mark.usefixtures("store")
async def test_no_table_is_made_in_a_foreign_database(path: Path) -> None:
    """One that lies where the store was is another program's: it is refused as it is."""
    await disconnect_stores()
    delete(path)
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE theirs (a)")
    with another_process(url_of(path)) as another:
        assert "has no runbook store, so it is not the one that was here before" in another.write()["error"]
    with closing(sqlite3.connect(path)) as foreign:
        assert foreign.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


@pytest.mark.usefixtures("store")
async def test_a_witness_that_nobody_can_read_is_told(path: Path) -> None:
    """Bytes that are no text are no id of this store."""
    await disconnect_stores()
    path.with_name(f".{path.name}.store-id").write_bytes(b"\xff\xfe")
    with another_process(url_of(path)) as another:
        assert "is not the store that was here before" in another.write()["error"]


@pytest.mark.real
async def test_a_postgresql_database_that_was_swapped_is_refused(postgres_cluster: PostgresCluster) -> None:
    """Another database answers at the same address: a living process sees that, and the right one again."""
    postgres = postgres_cluster
    name, other = await postgres.new_database(), await postgres.new_database()
    store = store_at(postgres.url(name))
    await store.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    await store_at(postgres.url(other)).check()
    await store.in_transaction(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def swap() -> None:
        for source, target in ((name, "aside"), (other, name), ("aside", other)):
            await postgres.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"  # noqa: S608
            )
            await postgres.execute(f"ALTER DATABASE {source} RENAME TO {target}")

    await swap()
    for use in USES.values():
        if use is USES["in transaction"]:
            continue
        with pytest.raises(Unavailable, match=r"the database has changed.*Point \[store\] url to the right"):
            await use(store)
    with pytest.raises(Unavailable, match="the database has changed"):
        await store.in_transaction(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    await swap()
    assert (await store.read(INCIDENT)).id == INCIDENT
    await disconnect_stores()
    for database in (name, other):
        await postgres.drop_database(database)


async def test_two_first_uses_at_once_agree_on_the_store(path: Path) -> None:
    """Each makes the store if nobody has; both find the one id, which the witness has, too."""
    store = store_at(url_of(path))
    await asyncio.gather(*(store.check() for _ in range(5)))
    async with connected(url_of(path)) as connection:
        found = (await connection.execute(text("SELECT id FROM incident_store"))).scalars().all()
    assert found == [(path.parent / ".incidents.db.store-id").read_text().strip()]
