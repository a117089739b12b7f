"""Connections to the incident store's database, for asyncio and for threads, and none to another one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from blocks.store.database.errors import SYSTEM, StoreUnavailable
from blocks.store.database.file import Renewed, StoreFile
from blocks.store.database.identity import Known, identified
from blocks.store.database.schema import bring_up_to_date
from blocks.store.database.sqlite import READS_ONLY, prepare_sqlite
from blocks.transport.errors import Refused

ResultT = TypeVar("ResultT")

POSTGRESQL_PATIENCE = {"connect_timeout": "10", "tcp_user_timeout": "20000"}
"""Parameters of libpq, unless the URL sets them: seconds until a server that says nothing counts as away,
milliseconds until a connection does whose other end acknowledges nothing."""

_ANOTHER = "Point [store] url to the right database, or restart the runbook to use this one"

_TIMES = 3
"""How often connections are renewed for one use: another process may be about to do the same."""

_RESTLESS = "its files keep being replaced"


class Database:
    """What this process has of one database: its identity, its files if it has any, its connections."""

    def __init__(self, url: URL) -> None:
        sqlite = url.get_backend_name() == "sqlite"
        in_file = sqlite and url.database not in (None, "", ":memory:")
        self._url = url
        self._file = StoreFile(Path(str(url.database)).absolute()) if in_file else None
        self._known: Known | None = None
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()
        # psycopg has one name for both kinds of work
        of_threads = url.set(drivername="sqlite") if sqlite else url
        self._of_threads = self._prepared(create_engine(of_threads, pool_pre_ping=not in_file))
        self._threads_connected = False
        self._new_engine()  # that the URL is of no use shows here

    async def in_transaction(
        self, work: Callable[[Connection], ResultT], *, reads_only: bool = False
    ) -> ResultT:
        """See `IncidentStore.in_transaction`."""
        for _ in range(_TIMES):
            engine = await self._engine()
            try:
                return await asyncio.to_thread(self._in_transaction, work, reads_only)
            except Renewed as renewed:
                await self._renew(engine, renewed)
        raise StoreUnavailable(SYSTEM, _RESTLESS, "Try again")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection with a transaction."""
        connection = await self._connected()
        try:
            async with connection.begin():
                await connection.run_sync(self._require_same_store)
                yield connection
            await connection.run_sync(self._require_kept)
        finally:
            await connection.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection without a transaction: one statement sees one state, and no lock is taken."""
        connection = await self._connected()
        try:
            reading = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await reading.run_sync(self._require_same_store)
            yield reading
        finally:
            await connection.close()

    async def disconnect(self) -> None:
        """Close the connections of this event loop, and those for threads; the next use makes new ones."""
        if self._threads_connected:
            self._threads_connected = False
            await asyncio.to_thread(self._of_threads.dispose)
        engine = self._of_loops.pop(asyncio.get_running_loop(), None)
        if engine is not None:
            await engine.dispose()

    async def abandon(self) -> bool:
        """Close the connections but those of other event loops that run; whether there are none of these."""
        await self.disconnect()
        for loop in [loop for loop in self._of_loops if not loop.is_running()]:
            await self._of_loops.pop(loop).dispose()
        return not self._of_loops

    async def _connected(self) -> AsyncConnection:
        """A connection to the files that are at the path now."""
        for _ in range(_TIMES):
            engine = await self._engine()
            connection = await engine.connect()
            try:
                await connection.run_sync(self._require_same_files)
            except Renewed as renewed:
                await connection.invalidate()
                await connection.close()
                await self._renew(engine, renewed)
            except BaseException:
                await connection.close()
                raise
            else:
                return connection
        raise StoreUnavailable(SYSTEM, _RESTLESS, "Try again")

    async def _engine(self) -> AsyncEngine:
        """The engine of this event loop, with the tables in place and up to date."""
        loop = asyncio.get_running_loop()
        if loop not in self._of_loops:
            engine = self._new_engine()
            try:
                await self._recognise(engine)
                await bring_up_to_date(engine)
                if self._known is None:
                    async with engine.connect() as connection:
                        reading = await connection.execution_options(isolation_level="AUTOCOMMIT")
                        await reading.run_sync(self._identify)
            except BaseException:
                await engine.dispose()
                raise
            if self._of_loops.setdefault(loop, engine) is not engine:
                await engine.dispose()  # another task of this loop was first
        return self._of_loops[loop]

    async def _recognise(self, engine: AsyncEngine) -> None:
        """Before any table is made or changed: whatever was put in the store's place stays as it is."""
        if self._file is None:
            return
        async with engine.connect() as connection:
            reading = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await reading.run_sync(self._file.recognise)

    def _new_engine(self) -> AsyncEngine:
        engine = create_async_engine(self._url, pool_pre_ping=self._file is None)
        self._prepared(engine.sync_engine)
        return engine

    async def _renew(self, engine: AsyncEngine, renewed: Renewed) -> None:
        """Let go of all that is open: SQLite shares among a process's connections what is out of date."""
        if self._known is not None:
            self._known.doubt = renewed.doubt
        await engine.dispose()
        await asyncio.to_thread(self._of_threads.dispose)
        if self._file is not None:
            self._file.part_from_its_log(renewed.files)

    def _in_transaction(self, work: Callable[[Connection], ResultT], reads_only: bool) -> ResultT:
        self._threads_connected = True
        with self._of_threads.connect().execution_options(**{READS_ONLY: reads_only}) as connection:
            try:
                self._require_same_files(connection)
                with self._unless_exchanged(connection), connection.begin():
                    self._require_same_store(connection)
                    result = work(connection)
            except Renewed:
                connection.invalidate()
                raise
            if not reads_only:
                self._require_kept(connection)
            return result

    @contextmanager
    def _unless_exchanged(self, connection: Connection) -> Iterator[None]:
        """Look at the files again where SQLite says that the disk fails: so it calls an exchanged file."""
        try:
            yield
        except OperationalError as error:
            if "disk I/O error" in str(error.orig):
                self._require_same_files(connection)
            raise

    def _prepared(self, engine: Engine) -> Engine:
        if self._file is not None:
            self._file.guard(engine)
        if engine.dialect.name == "sqlite":
            prepare_sqlite(engine)
        if self._file is not None:
            self._file.watch(engine)
        return engine

    def _identify(self, connection: Connection) -> None:
        advice = self._file.advice if self._file is not None else _ANOTHER
        known = identified(connection, advice)
        if self._file is not None:
            self._file.confirm(known.id)
        self._known = self._known or known

    def _require_same_files(self, connection: Connection) -> None:
        if self._file is not None:
            self._file.require(connection)

    def _require_same_store(self, connection: Connection) -> None:
        if self._known is not None:
            self._known.require(connection)

    def _require_kept(self, connection: Connection) -> None:
        """What was written went into the files that are at the path, or into what was saved of them."""
        try:
            self._require_same_files(connection)
        except Renewed as renewed:
            if not renewed.kept:
                said = f"{renewed.doubt}; the latest writes may be lost"
                raise StoreUnavailable(SYSTEM, said, "Try again") from None


_DATABASES: dict[str, Database] = {}


def database(url: str) -> Database:
    """The database at a URL.

    Raises:
        Refused: the URL cannot be used, whatever is there.
    """
    if url not in _DATABASES:
        try:
            _DATABASES[url] = Database(_patient(make_url(url)))
        except (SQLAlchemyError, ValueError, ImportError) as error:
            # The message may quote the URL, with its password.
            reason = f"its URL cannot be used ({type(error).__name__})"
            raise Refused(SYSTEM, reason, "Correct [store] url") from None
    return _DATABASES[url]


async def disconnect_all() -> None:
    """Close this event loop's connections to all databases. Each keeps a thread, and that keeps the loop."""
    for one in _DATABASES.values():
        await one.disconnect()


async def forget_all() -> None:
    """The same for event loops that have ended, too, and forget what is known of the databases."""
    for url, one in list(_DATABASES.items()):
        if await one.abandon():
            del _DATABASES[url]


def _patient(url: URL) -> URL:
    if url.get_backend_name() != "postgresql":
        return url
    return url.set(query={**POSTGRESQL_PATIENCE, **url.query})
