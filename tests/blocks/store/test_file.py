"""A store whose file is deleted, replaced or cut off from its log says so, to whoever uses it, and how."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Unavailable
from runbook.incidents.events import NoteAdded
from tests.blocks.earlier_stores import connected
from tests.blocks.journal_writers import ALERT, AT, INCIDENT
from tests.blocks.store_user import another_process
from tests.fixtures.postgres import PostgresCluster
from tests.fixtures.stores import disconnect_stores


def url_of(path: Path) -> str:
    """The address of a store in a file."""
    return f"sqlite+aiosqlite:///{path}"


def store_at(url: str) -> IncidentStore:
    """The store at an address."""
    return IncidentStore(url=SecretStr(url))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store's file is."""
    return tmp_path / "incidents.db"


@pytest.fixture
async def store(path: Path) -> IncidentStore:
    """A store with an incident and a note, used in both ways before anything happens to it."""
    made = store_at(url_of(path))
    await made.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    await note(made, "before")
    await made.in_transaction(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    return made


async def note(store: IncidentStore, words: str) -> None:
    """Write a note into the incident's journal."""
    await store.append(INCIDENT, NoteAdded(by="ana", text=words), at=AT)


async def notes(store: IncidentStore) -> list[str]:
    """The notes in the incident's journal."""
    return [event.text for event in (await store.read(INCIDENT)).events(NoteAdded)]


def move(source: Path, target: Path) -> None:
    """Rename a file."""
    source.rename(target)


def delete(path: Path) -> None:
    """Delete a file."""
    path.unlink()


def is_there(path: Path) -> bool:
    """Whether there is a file."""
    return path.exists()


def mode_of(path: Path) -> int:
    """Who may read and write a file."""
    return path.stat().st_mode & 0o777


def checkpoint(path: Path) -> None:
    """Bring all that is in the log into the file, as SQLite does by itself now and then."""
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def size_of(path: Path) -> int:
    """How many bytes a file has."""
    return path.stat().st_size


def copied(path: Path) -> Path:
    """A whole copy of the store, as people make one."""
    copy = path.with_name("copy")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def inserted(connection: Connection) -> None:
    """Write past everything of ours."""
    connection.execute(
        text("INSERT INTO episodes (source, service, key, began_at) VALUES ('s', 's', 'k', '2026')")
    )


USES: dict[str, Callable[[IncidentStore], Awaitable[object]]] = {
    "read": lambda store: store.read(INCIDENT),
    "append": lambda store: note(store, "lost"),
    "open": lambda store: store.open_incident(ALERT, incident_id="inc-2", at=AT),
    "check": lambda store: store.check(),
    "in transaction": lambda store: store.in_transaction(inserted),
    "lease": lambda store: store.take_lease("t", "h", at=AT, until=AT + timedelta(minutes=1)),
}


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


LOGS = {"the log": ["-wal"], "its index": ["-shm"], "both": ["-wal", "-shm"]}


@pytest.mark.parametrize("deleted", LOGS.values(), ids=LOGS)
async def test_a_deleted_log_loses_nothing(
    path: Path, store: IncidentStore, caplog: pytest.LogCaptureFixture, deleted: list[str]
) -> None:
    """Who notices first saves what only the open log holds; all go on with a new one, and agree."""
    with another_process(url_of(path)) as another:
        another.write("of another")
        await note(store, "in the log")
        for suffix in deleted:
            delete(path.with_name(f"incidents.db{suffix}"))
        await note(store, "after")
        said = another.write("of another, after")
        assert said["notes"] == ["before", "of another", "in the log", "after", "of another, after"]
        assert said["log"] == []
        with another_process(url_of(path)) as newcomer:
            assert newcomer.write("of a newcomer")["notes"] == [*said["notes"], "of a newcomer"]
        assert await store.in_transaction(_intact) == "ok"
        assert await notes(store) == [*said["notes"], "of a newcomer"]
    told = [record.getMessage() for record in caplog.records if record.name == "runbook.store"]
    assert told == [f"The write-ahead log of {path} was deleted; its content was saved"]


@pytest.mark.parametrize("left", [0, 100])
async def test_an_index_of_the_log_that_is_cut_short_ends_no_process(
    path: Path, store: IncidentStore, left: int
) -> None:
    """SQLite has it in memory, and the kernel would kill whoever reads it: here another process."""
    with another_process(url_of(path)) as another:
        another.write("of another")
        await note(store, "in the log")
        os.truncate(path.with_name("incidents.db-shm"), left)
        said = another.write("of another, after")
        assert said["notes"] == ["before", "of another", "in the log", "of another, after"]
        await note(store, "after")
        assert await notes(store) == [*said["notes"], "after"]
        assert await store.in_transaction(_intact) == "ok"


def _intact(connection: Connection) -> str:
    return str(connection.execute(text("PRAGMA integrity_check")).scalar_one())


async def test_a_log_that_a_newcomer_has_replaced_is_told(
    path: Path, store: IncidentStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has written without it: what it held is not mixed in, and the log says that it is missing."""
    checkpoint(path)
    await note(store, "in the log")
    for suffix in ("-wal", "-shm"):
        delete(path.with_name(f"incidents.db{suffix}"))
    with another_process(url_of(path)) as newcomer:
        newcomer.write("of a newcomer")
        assert await notes(store) == newcomer.write()["notes"]
        assert await store.in_transaction(_intact) == "ok"
    told = [record.getMessage() for record in caplog.records if record.name == "runbook.store"]
    assert told == [
        f"the write-ahead log of {path} was deleted while the runbook used it: the latest writes "
        "may be missing"
    ]


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


async def test_a_file_that_is_written_over_is_noticed_when_it_is_read_anew(
    path: Path, store: IncidentStore
) -> None:
    """`cp other.db incidents.db`: the same inode, so only the id tells, once SQLite reads the page again."""
    other = path.with_name("other.db")
    await store_at(url_of(other)).check()
    await disconnect_stores()
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(other, path)
    with pytest.raises(Unavailable, match="is not the store that was here before"):
        await store.check()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("in_the_log", [True, False], ids=["in its log", "in the file"])
async def test_a_file_that_was_emptied_is_told_at_once(
    path: Path, store: IncidentStore, use: Callable[[IncidentStore], Awaitable[object]], in_the_log: bool
) -> None:
    """`> incidents.db`: SQLite would take it for a new database, or wait for its own lock for minutes."""
    if not in_the_log:
        with closing(sqlite3.connect(path)) as own:
            own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(path, 0)
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="is empty"):
            await use(store)
    assert size_of(path) == 0


def cut_in_half(path: Path) -> None:
    """Have only the first half of a file left."""
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_file_that_was_cut_short_is_told_at_once(
    path: Path, store: IncidentStore, use: Callable[[IncidentStore], Awaitable[object]]
) -> None:
    """SQLite would go on until it needs a page that is missing, and answer that all is well."""
    copy = copied(path)
    checkpoint(path)
    await store.check()
    cut_in_half(path)
    for _ in range(2):
        with pytest.raises(Unavailable, match="was truncated"):
            await use(store)
    move(copy, path)
    await note(store, "after")
    assert await notes(store) == ["before", "after"]


@pytest.mark.usefixtures("store")
async def test_a_file_that_was_cut_short_is_told_to_who_starts_later(path: Path) -> None:
    """SQLite itself compares its length with what its first page says."""
    await disconnect_stores()
    cut_in_half(path)
    with another_process(url_of(path)) as another:
        assert "is damaged" in another.write()["error"]


async def test_a_file_that_became_shorter_by_vacuum_is_whole(path: Path, store: IncidentStore) -> None:
    """Whoever tidies up the database does not stop the runbook."""
    with closing(sqlite3.connect(path)) as own:
        own.execute("UPDATE events SET body = body || printf('%400000s', '')")
        own.commit()
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await store.check()
        long = size_of(path)
        own.execute("UPDATE events SET body = trim(body)")
        own.commit()
        own.execute("VACUUM")
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert size_of(path) < long
    await note(store, "after")
    assert await notes(store) == ["before", "after"]


async def test_a_damaged_file_is_left_for_the_good_one_in_its_place(
    path: Path, store: IncidentStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Its log cannot be brought in any more; that is told, and no restart is needed."""
    copy = copied(path)
    checkpoint(path)
    await store.check()
    cut_in_half(path)
    move(copy, path)
    await store.check()
    assert await notes(store) == ["before"]
    told = [record.getMessage() for record in caplog.records if record.name == "runbook.store"]
    assert f"{path} was replaced by a new file: the latest writes may be missing" in told


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
async def test_an_emptied_file_is_told_to_who_starts_later(path: Path) -> None:
    """So no empty store is begun in it."""
    await disconnect_stores()
    os.truncate(path, 0)
    with another_process(url_of(path)) as another:
        assert "is empty. Put it back" in another.write()["error"]
    assert size_of(path) == 0


@pytest.mark.usefixtures("store")
async def test_a_witness_that_nobody_can_read_is_told(path: Path) -> None:
    """Bytes that are no text are no id of this store."""
    await disconnect_stores()
    path.with_name(f".{path.name}.store-id").write_bytes(b"\xff\xfe")
    with another_process(url_of(path)) as another:
        assert "is not the store that was here before" in another.write()["error"]


async def test_a_database_that_has_lost_its_tables_is_told(path: Path, store: IncidentStore) -> None:
    """Somebody has dropped them: that is not an empty store."""
    with closing(sqlite3.connect(path)) as own:
        own.execute("DROP TABLE incident_store")
    with pytest.raises(Unavailable, match="has lost its tables"):
        await store.check()


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
