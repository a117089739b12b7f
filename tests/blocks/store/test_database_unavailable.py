"""A database that cannot be used is told in one line, by every way into the store, without the password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.store.database.engines import POSTGRESQL_PATIENCE
from blocks.store.database.errors import StoreUnavailable
from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError, Refused, Unavailable
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import ALERT, AT, INCIDENT

PASSWORD = "pa55-w0rd"
NOTE = NoteAdded(by="ana", text="called PostHog support")
LATER = AT + timedelta(minutes=2)


@asynccontextmanager
async def postgres_that_rejects_the_password() -> AsyncIterator[int]:
    """The wire of a PostgreSQL server up to its refusal; yields its port."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # "may we speak TLS?"
        writer.write(b"N")
        length = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(length - 4)  # user and database
        fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user runbook\0\0"
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def says_on_one_line(url: str) -> OutsideError:
    """What every way into the store says where the database cannot be used, without the password."""
    store = IncidentStore(url=SecretStr(url))
    said: list[OutsideError] = []
    for call in (
        lambda: store.read(INCIDENT),
        lambda: store.append(INCIDENT, NOTE, at=AT),
        lambda: store.open_incident(ALERT, incident_id=INCIDENT, at=AT),
        store.incidents,
        lambda: store.effects_since(AT),
        lambda: store.take_lease("a target", INCIDENT, at=AT, until=LATER),
        lambda: store.renew_lease("a target", 1, until=LATER),
        lambda: store.release_lease("a target", 1, at=AT),
    ):
        with pytest.raises(OutsideError) as caught:
            await call()
        said.append(caught.value)
    for error in said:
        assert "\n" not in str(error)
        assert str(error).startswith("incident store: ")
        assert PASSWORD not in f"{error!s}{error!r}{error.__cause__!r}"
        assert error.__suppress_context__  # the driver's own error may quote the URL
    assert PASSWORD not in repr(store)
    return said[0]


@pytest.mark.parametrize("server", ["nobody", "hanging_up"])
async def test_database_that_does_not_answer_is_unavailable(
    server: str, request: pytest.FixtureRequest
) -> None:
    """Nobody listens, or the connection is closed: one line, and it may heal."""
    port = request.getfixturevalue(server).rpartition(":")[2]
    error = await says_on_one_line(f"postgresql+psycopg://runbook:{PASSWORD}@127.0.0.1:{port}/incidents")
    assert type(error) is StoreUnavailable


@pytest.mark.proof
async def test_database_that_says_nothing_is_unavailable(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection and does not answer: the wait has an end, and the URL can set another."""
    shortest = "2"  # seconds; libpq takes no shorter ones
    url = f"postgresql+psycopg://runbook:{PASSWORD}@127.0.0.1:{silent.rpartition(':')[2]}/incidents"
    store = IncidentStore(url=SecretStr(f"{url}?connect_timeout={shortest}"))
    with pytest.raises(Unavailable, match="does not answer"):
        await store.check()
    monkeypatch.setitem(POSTGRESQL_PATIENCE, "connect_timeout", shortest)
    with pytest.raises(Unavailable, match="does not answer"):
        await IncidentStore(url=SecretStr(url)).check()


async def test_database_that_rejects_our_password_is_unavailable() -> None:
    """A wrong password is said without saying it."""
    async with postgres_that_rejects_the_password() as port:
        error = await says_on_one_line(f"postgresql+psycopg://runbook:{PASSWORD}@127.0.0.1:{port}/incidents")
    assert type(error) is StoreUnavailable
    assert "rejects our password" in str(error)


@pytest.mark.parametrize("place", ["missing-folder/incidents.db", "", "text.db"])
async def test_file_that_is_no_database_is_unavailable(tmp_path: Path, place: str) -> None:
    """A missing folder, a folder, and a file that holds something else."""
    (tmp_path / "text.db").write_text("this is not a database, and it is long enough to be read as one" * 20)
    error = await says_on_one_line(f"sqlite+aiosqlite:///{tmp_path}/{place}")
    assert type(error) is StoreUnavailable


@pytest.mark.parametrize(
    "url",
    [
        f"runbook:{PASSWORD}@host/incidents",
        f"postgresql+psycopg://runbook:{PASSWORD}@host:port/incidents",
        f"nosuchdatabase://runbook:{PASSWORD}@host/incidents",
        f"mysql+aiomysql://runbook:{PASSWORD}@host/incidents",
        "sqlite:///incidents.db",  # a driver that would block the event loop
    ],
)
async def test_url_that_names_no_usable_database_is_refused(url: str) -> None:
    """Asking again gives the same answer, so it is no outage but something to correct."""
    error = await says_on_one_line(url)
    assert type(error) is Refused
