"""What a database's refusal means, in one line and with what to do about it.

The driver's message can hold the URL with its password; what is said of it here cannot.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError

from blocks.transport.errors import Unavailable

SYSTEM = "incident store"

_CHECK = "Check [store] url"
_SPACE = "Free space on its disk"
DAMAGED = "Stop the runbook, restore a backup, and start it again"
"""The next step where the database is damaged."""
_REASONS = {
    "password authentication failed": ("the database rejects our password", _CHECK),
    r'database "[^"]*" does not exist': ("no database has that name", _CHECK),
    "timeout expired": ("the database does not answer", _CHECK),
    "Connection refused": ("nothing listens at the database's address", _CHECK),
    "No space left on device|database or disk is full": ("the database's disk is full", _SPACE),
    "database (table )?is locked": (
        "another process holds the database's write lock",
        "Try again; see which process writes to it",
    ),
    "File too large": ("the database's file has reached its size limit", "Raise the file size limit"),
    "disk I/O error": ("the database's disk is failing or full", "Check its disk: space, quota, errors"),
    "attempt to write a readonly database|read-only": (
        "the database is read-only",
        "Make its files, their folder or its transactions writable",
    ),
    "unable to open database file": (
        "the database's file cannot be opened",
        "Check [store] url, the folder's permissions, and `ulimit -n`",
    ),
    "malformed|not a database": (
        "the database's file is damaged",
        DAMAGED,
    ),
    r'no such table|relation "[^"]*" does not exist': (
        "the database has lost its tables",
        DAMAGED,
    ),
    "too many connections|too many clients": (
        "the database has no free connections",
        "Raise its connection limit",
    ),
}
"""By what the drivers' messages contain: libpq has no codes for what happens before there is a connection."""


class StoreUnavailable(Unavailable):
    """The store is unavailable: what has happened is not known. It is never how an action ended."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise ours for the driver's errors, but for broken constraints, which tell of another writer.

    Raises:
        StoreUnavailable: the database cannot be reached, or refuses.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error, OSError) as error:
        driver = error.orig if isinstance(error, DBAPIError) else error
        said = str(driver)
        known = (meant for pattern, meant in _REASONS.items() if re.search(pattern, said))
        reason, advice = next(known, (f"the database refused ({type(driver).__name__})", _CHECK))
        raise StoreUnavailable(SYSTEM, reason, advice) from None
