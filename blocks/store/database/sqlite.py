"""How the incident store uses SQLite: many processes read and write one file at once."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event

from blocks.files.owners import ForeignFile
from blocks.files.private_files import close_sqlite
from blocks.store.database.errors import SYSTEM, StoreUnavailable

READS_ONLY = "runbook_reads_only"
"""The execution option of a connection whose transactions write nothing."""

_WAL_SECONDS = 0.5
"""A refusal that SQLite itself has waited for is not tried again."""


class ReleasingConnection(sqlite3.Connection):
    """A connection that gives its locks back when it is closed.

    SQLite keeps a closed connection, its transaction and its write lock for as long as one of its statements
    is not finished. A task that is cancelled while it reads leaves such a statement in a cursor, which lives
    until the next garbage collection: nobody could write meanwhile.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *args: Any, **options: Any) -> Any:
        """See `sqlite3.Connection.cursor`."""
        cursor = super().cursor(*args, **options)
        self._cursors.add(cursor)
        return cursor

    def close(self) -> None:
        """Finish all statements, roll back what was not committed, and close."""
        try:
            for cursor in list(self._cursors):
                cursor.close()
            if self.in_transaction:
                self.rollback()
        finally:
            super().close()


def prepare_sqlite(engine: Engine) -> None:
    """Set up each connection of the engine for that; a transaction that writes begins with the lock."""
    event.listen(engine, "do_connect", _give_locks_back)
    event.listen(engine, "do_connect", _keep_private)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)


def _give_locks_back(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
    parameters["factory"] = ReleasingConnection


def _keep_private(_dialect: Any, _record: Any, arguments: Sequence[Any], _parameters: Any) -> None:
    """The journal is for its owner only. SQLite follows links; what else is in the way, it meets and tells.

    Raises:
        StoreUnavailable: another user has put a file or a link there.
    """
    database = str(arguments[0]) if arguments else ""
    if database and database != ":memory:" and not database.startswith("file:"):
        try:
            close_sqlite(Path(database))
        except ForeignFile as error:
            advice = "Nothing was read or written"
            raise StoreUnavailable(SYSTEM, f"{error.filename}: {error.strerror}", advice) from None
        except OSError:
            return


def _prepare(connection: Any, _record: Any) -> None:
    """Let readers and a writer work at once, survive power loss, and leave BEGIN to `_begin`."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("busy_timeout=10000", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    _turn_wal_on(cursor)
    cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")  # opens the log and its index, which stay open
    cursor.fetchall()
    cursor.close()


def _turn_wal_on(cursor: Any) -> None:
    """SQLite does not wait here, whatever the timeout, for another process that does so to a new file."""
    until = time.monotonic() + _WAL_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except OperationalError as error:
            if time.monotonic() > until or "locked" not in str(error):  # a full disk stays full
                raise
            time.sleep(0.01)


def _begin(connection: Any) -> None:
    """Take SQLite's write lock at the beginning: a read that becomes a write fails when it is busy.

    A transaction that only reads takes no lock. SQLAlchemy reports a beginning even without a transaction.
    """
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN" if options.get(READS_ONLY) else "BEGIN IMMEDIATE")
