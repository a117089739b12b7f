"""A store whose file is written over, emptied, cut short or damaged says so, and goes on with a good one."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Unavailable
from tests.blocks.store_files import (
    USES,
    checkpoint,
    copied,
    move,
    note,
    notes,
    path,
    size_of,
    store,
    store_at,
    url_of,
)
from tests.blocks.store_user import another_process
from tests.fixtures.stores import disconnect_stores

__all__ = ["path", "store"]  # fixtures, found here


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
async def test_an_emptied_file_is_told_to_who_starts_later(path: Path) -> None:
    """So no empty store is begun in it."""
    await disconnect_stores()
    os.truncate(path, 0)
    with another_process(url_of(path)) as another:
        assert "is empty. Put it back" in another.write()["error"]
    assert size_of(path) == 0


async def test_a_database_that_has_lost_its_tables_is_told(path: Path, store: IncidentStore) -> None:
    """Somebody has dropped them: that is not an empty store."""
    with closing(sqlite3.connect(path)) as own:
        own.execute("DROP TABLE incident_store")
    with pytest.raises(Unavailable, match="has lost its tables"):
        await store.check()
