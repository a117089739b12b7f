"""What only a PostgreSQL server can do to the incident store; the rest of it is in `tests/blocks`."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Unavailable
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import ALERT, AT, INCIDENT, WRITERS, at_once, count_incidents, processes
from tests.fixtures.postgres import PostgresCluster

pytestmark = pytest.mark.real

NEW_DATABASES = 8


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Processes that use a store at once."""
    with processes() as pool:
        yield pool


async def test_processes_may_be_the_first_to_use_a_database_at_once(
    pool: ProcessPoolExecutor, postgres_cluster: PostgresCluster
) -> None:
    """Receiver and worker start together: whoever makes the tables, the others find them, readers too."""
    for _ in range(NEW_DATABASES):
        database = await postgres_cluster.new_database()
        counts = await asyncio.to_thread(at_once, pool, count_incidents, postgres_cluster.url(database))
        assert counts == [0] * WRITERS
        await postgres_cluster.drop_database(database)


async def test_a_store_heals_when_its_connections_are_cut(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    """A server that was restarted or failed over: the connections that are kept open are made anew."""
    store = IncidentStore(url=SecretStr(postgres_url))
    await store.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    database = make_url(postgres_url).database
    await postgres_cluster.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608
    )
    await store.append(INCIDENT, NoteAdded(by="ana", text="after the cut"), at=AT)
    assert len((await store.read(INCIDENT)).events(NoteAdded)) == 1


async def test_a_database_that_is_not_there_is_unavailable(postgres_cluster: PostgresCluster) -> None:
    """A wrong name in the address is told in one line, without the password."""
    url = postgres_cluster.url("no_such_database")
    with pytest.raises(Unavailable, match="no database has that name") as caught:
        await IncidentStore(url=SecretStr(url)).incidents()
    password = make_url(url).password
    assert isinstance(password, str)
    assert password not in f"{caught.value!s}{caught.value!r}"
