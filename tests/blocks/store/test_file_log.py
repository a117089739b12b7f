"""A store whose log is deleted, cut short or replaced saves what it can, and says what is missing."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from blocks.store.journal import IncidentStore
from tests.blocks.store_files import checkpoint, delete, note, notes, path, store, url_of
from tests.blocks.store_user import another_process

__all__ = ["path", "store"]  # fixtures, found here

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
