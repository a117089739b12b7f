"""Reading the store waits for no writer: SQLite has one write lock for all processes."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from blocks.store.journal import IncidentStore
from blocks.store.lists import incidents_that_lack, incidents_with_switches, open_incidents
from blocks.store.overview import incident_of_run, overview
from blocks.store.retention import closed_before
from blocks.store.self_watch_log import last_good_round, open_page
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import ALERT, AT, INCIDENT

Read = Callable[[IncidentStore], Awaitable[object]]

READS: dict[str, Read] = {
    "a journal": lambda store: store.read(INCIDENT),
    "incidents for people": lambda store: store.incidents(),
    "open incidents": open_incidents,
    "switches": incidents_with_switches,
    "missing evidence": lambda store: incidents_that_lack(store, ["after-1h"]),
    "what waits": overview,
    "the incident of a run": lambda store: incident_of_run(store, "a-run"),
    "what may be removed": lambda store: closed_before(store, AT),
    "the last good round": lambda store: last_good_round(store, "production"),
    "the open call": lambda store: open_page(store, "production"),
    "the end of a lease": lambda store: store.lease_end("a target"),
    "whether it is there": lambda store: store.check(),
}


@pytest.fixture
async def store(tmp_path: Path) -> IncidentStore:
    """A store with an incident, used in both ways before."""
    made = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    await made.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    await overview(made)
    return made


@pytest.fixture
def writer(store: IncidentStore) -> Iterator[sqlite3.Connection]:
    """Another process's connection that holds the write lock."""
    path = make_url(store.url.get_secret_value()).database
    assert path is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE incidents SET service = 'changed'")
        yield other


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_a_read_waits_for_no_writer(store: IncidentStore, read: Read) -> None:
    """It returns what was written before, while somebody else writes."""
    async with asyncio.timeout(4):
        await read(store)
    assert (await store.read(INCIDENT)).service == ALERT.service


async def test_a_writer_waits_for_the_lock(store: IncidentStore, writer: sqlite3.Connection) -> None:
    """What is written waits for the other writer, and is kept."""
    noting = asyncio.create_task(
        store.append(INCIDENT, NoteAdded(by="ana", text="x"), at=AT + timedelta(seconds=1))
    )
    await asyncio.sleep(0.2)
    assert not noting.done()
    writer.execute("COMMIT")
    await noting
    assert len((await store.read(INCIDENT)).events(NoteAdded)) == 1
