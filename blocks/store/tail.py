"""The newest events of a journal, for who has read the rest of it."""

from sqlalchemy import Connection, select

from blocks.store.database.tables import EVENTS
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import recorded
from runbook.incidents.events import Recorded


async def events_after(
    store: IncidentStore, incident_id: str, seq: int, *, limit: int = 500
) -> list[Recorded]:
    """The events after this place in the journal, oldest first; found by the primary key, however long it is.

    Raises:
        Unavailable: the database cannot be reached.
    """
    newer = EVENTS.c.incident_id == incident_id, EVENTS.c.seq > seq
    query = select(EVENTS).where(*newer).order_by(EVENTS.c.seq).limit(limit)

    def read(connection: Connection) -> list[Recorded]:
        return [recorded(row) for row in connection.execute(query)]

    return await store.in_transaction(read, reads_only=True)
