"""An incident store in a file, and what people and SQLite do to the file."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text

from blocks.store.journal import IncidentStore
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import ALERT, AT, INCIDENT


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
