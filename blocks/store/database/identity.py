"""Whether the database is still the one that this process began with.

Each incident store has an id. A database that was restored from a copy has the same one and is taken as it
is. Another one is refused: what was accepted before is not in it, and answering on would hide that.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, select

from blocks.store.database.errors import SYSTEM, StoreUnavailable
from blocks.store.database.tables import STORE

log = logging.getLogger("runbook.store")

_WHICH = select(STORE.c.id, STORE.c.renewed)


@dataclass
class Known:
    """What this process knows of a store. `doubt` is why something may be missing in it."""

    id: str
    renewed: int
    advice: str
    doubt: str = ""

    def require(self, connection: Connection) -> None:
        """Do nothing if the database behind a connection is still this store.

        Raises:
            Unavailable: it is a different store, or not a store of the runbook.
        """
        found = connection.execute(_WHICH).one_or_none()
        if found is None or found.id != self.id:
            other = f"store {found.id[:8]}" if found else "one without a runbook store"
            said = f"the database has changed ({other} instead of {self.id[:8]})"
            raise StoreUnavailable(SYSTEM, said, self.advice)
        if self.doubt and found.renewed <= self.renewed:
            log.error("%s: the latest writes may be missing", self.doubt)
        self.doubt, self.renewed = "", found.renewed


def identified(connection: Connection, advice: str) -> Known:
    """The store behind a connection, as it is met first. `advice`: what to do where it is another one later.

    Raises:
        Unavailable: somebody has emptied its tables.
    """
    found = connection.execute(_WHICH).one_or_none()
    if found is None:
        raise StoreUnavailable(SYSTEM, "the database has lost the id of its store", advice)
    return Known(id=found.id, renewed=found.renewed, advice=advice)
