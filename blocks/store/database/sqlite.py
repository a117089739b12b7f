"""How the incident store uses SQLite: many processes read and write one file at once."""

import time
from collections.abc import Sequence
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Engine, event

from blocks.files.owners import ForeignFile
from blocks.files.private_files import close_sqlite
from blocks.store.database.errors import SYSTEM, StoreUnavailable

_WAL_SECONDS = 0.5
"""A refusal that SQLite itself has waited for is none to try again."""


def prepare_sqlite(engine: Engine) -> None:
    """Have each connection of the engine set up for that, and each transaction begin with the write lock."""
    event.listen(engine, "do_connect", _keep_private)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediate)


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
    """Let readers and a writer work at once, survive power loss, and leave BEGIN to `_begin_immediate`."""
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


def _begin_immediate(connection: Any) -> None:
    """Take SQLite's write lock at the beginning: a read that turns into a write fails when it is busy.

    SQLAlchemy tells of a beginning also where there is no transaction.
    """
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
