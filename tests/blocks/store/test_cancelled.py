"""A task that is cancelled in the middle of a transaction holds up nobody else."""

import asyncio
import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from blocks.store.database.sqlite import ReleasingConnection
from blocks.store.journal import IncidentStore

TIMES = 60


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Leave everything in memory that only the garbage collector would free."""
    gc.disable()
    yield
    gc.enable()


def require_writable(path: Path) -> None:
    """Fail unless another connection gets the write lock at once."""
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


@pytest.mark.usefixtures("no_garbage_collection")
async def test_a_cancelled_transaction_gives_the_write_lock_back(tmp_path: Path) -> None:
    """The lock is free again, whatever the task did when it was cancelled."""
    path = tmp_path / "incidents.db"
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{path}"))
    await store.incidents()
    rows = text("SELECT a.name FROM sqlite_master a, sqlite_master b")

    async def transaction() -> None:
        async with store._transaction() as connection:
            for _ in range(3):
                (await connection.execute(rows)).all()

    cancelled = 0
    for time in range(TIMES):
        task = asyncio.create_task(transaction())
        await asyncio.sleep(time * 0.01 / TIMES)
        cancelled += task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)  # the connection is closed in its own thread
        require_writable(path)
    assert cancelled > TIMES / 4


def test_a_closed_connection_has_no_lock_whatever_its_cursors_do(tmp_path: Path) -> None:
    """A cursor with rows still to fetch does not keep a closed connection's transaction alive."""
    path = tmp_path / "some.db"
    connection = sqlite3.connect(path, isolation_level=None, factory=ReleasingConnection)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE numbers (n)")
    connection.execute("INSERT INTO numbers VALUES (1), (2)")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO numbers VALUES (3)")
    reading = connection.cursor().execute("SELECT n FROM numbers")
    connection.close()

    require_writable(path)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM numbers").fetchone() == (2,)
    del reading
