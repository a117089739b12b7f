"""What the store keeps of the self-watch: its rounds, and the pages to a person because of it.

The receiver writes a round when it takes the synthetic alert (`blocks.store.alerts`); here it is completed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from blocks.store.database.errors import SYSTEM, StoreUnavailable
from blocks.store.database.tables import SELF_WATCH_CALLS as CALLS
from blocks.store.database.tables import SELF_WATCH_ROUNDS as ROUNDS
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import aware

KEPT = timedelta(days=7)


@dataclass(frozen=True)
class OpenPage:
    """A page to a person that has not ended. `at` is when it became due (aware UTC).

    `told` says whether it got through everywhere.
    """

    id: int
    at: datetime
    because: str
    told: bool


async def complete_round(store: IncidentStore, round_id: str, *, broken: str, at: datetime) -> bool:
    """Note what became of a round, `broken` empty where all went well; whether the receiver had stored it.

    Rounds of long ago are removed.

    Raises:
        Unavailable: the database cannot be reached.
    """

    def complete(connection: Connection) -> bool:
        connection.execute(delete(ROUNDS).where(ROUNDS.c.received_at < at - KEPT))
        ours = update(ROUNDS).where(ROUNDS.c.id == round_id).values(done_at=at, broken=broken)
        return connection.execute(ours).rowcount == 1

    return await store.in_transaction(complete)


async def last_good_round(store: IncidentStore, environment: str) -> datetime | None:
    """When a round last went well (aware UTC).

    Raises:
        Unavailable: the database cannot be reached.
    """
    query = select(func.max(ROUNDS.c.done_at)).where(
        ROUNDS.c.environment == environment, ROUNDS.c.broken == ""
    )

    def read(connection: Connection) -> datetime | None:
        at: datetime | None = connection.execute(query).scalar_one()
        return at

    found = await store.in_transaction(read, reads_only=True)
    return aware(found) if found else None


async def open_page(store: IncidentStore, environment: str) -> OpenPage | None:
    """The page that has not ended.

    Raises:
        Unavailable: the database cannot be reached.
    """
    return await store.in_transaction(_open_page(environment), reads_only=True)


async def begin_page(store: IncidentStore, environment: str, *, because: str, at: datetime) -> OpenPage:
    """The page that has not ended, or a new one.

    Raises:
        Unavailable: the database cannot be reached.
    """
    values = {"environment": environment, "at": at, "because": because, "told": False}

    def begin(connection: Connection) -> OpenPage | None:
        known = _open_page(environment)(connection)
        if known is None:
            connection.execute(insert(CALLS).values(values))
        return known or _open_page(environment)(connection)

    for _ in range(2):
        try:
            page = await store.in_transaction(begin)
        except IntegrityError:
            continue  # worker and receiver page at once: the other one was first
        if page is not None:
            return page
    raise StoreUnavailable(SYSTEM, "too many concurrent writers of self-watch calls", "Try again")


async def note_told(store: IncidentStore, page: OpenPage) -> None:
    """Keep that the page got through everywhere.

    Raises:
        Unavailable: the database cannot be reached.
    """
    told = update(CALLS).where(CALLS.c.id == page.id).values(told=True)
    await store.in_transaction(lambda connection: connection.execute(told).rowcount)


async def note_ended(store: IncidentStore, page: OpenPage, *, at: datetime) -> None:
    """Keep that the page has ended.

    Raises:
        Unavailable: the database cannot be reached.
    """
    ended = update(CALLS).where(CALLS.c.id == page.id).values(ended_at=at)
    await store.in_transaction(lambda connection: connection.execute(ended).rowcount)


def _open_page(environment: str) -> Callable[[Connection], OpenPage | None]:
    query = select(CALLS).where(CALLS.c.environment == environment, CALLS.c.ended_at.is_(None))

    def read(connection: Connection) -> OpenPage | None:
        row = connection.execute(query).one_or_none()
        return OpenPage(row.id, aware(row.at), row.because, row.told) if row is not None else None

    return read
