"""Remove from the incident store what is kept no longer; what that is, `runbook.evidence.retention` says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, select, tuple_

from blocks.store import alert_statements as sql
from blocks.store.database.tables import ALERTS, DELIVERIES, EPISODES, EVENTS, INCIDENTS, LEASES
from blocks.store.journal import IncidentStore

_AT_ONCE = 5_000
"""Rows of one transaction: receivers wait meanwhile, on SQLite."""


async def closed_before(store: IncidentStore, at: datetime) -> list[str]:
    """The ids of the incidents that were closed before that time (aware UTC), oldest first.

    Raises:
        Unavailable: the database cannot be reached.
    """

    def read(connection: Connection) -> list[str]:
        query = select(INCIDENTS.c.id).where(INCIDENTS.c.closed_at < at).order_by(INCIDENTS.c.closed_at)
        return list(connection.execute(query).scalars())

    return await store.in_transaction(read, reads_only=True)


async def remove_incident(
    store: IncidentStore, incident_id: str, *, closed_before: datetime, leases: Sequence[str]
) -> bool:
    """Remove an incident, its journal, its alerts and these leases, all at once.

    Returns whether it was there: one that was not closed before that time (aware UTC) is not touched.

    Raises:
        Unavailable: the database cannot be reached; nothing was removed.
    """

    def remove(connection: Connection) -> bool:
        if connection.dialect.name == "postgresql":
            connection.execute(sql.LOCK)  # no receiver counts on one of its alerts meanwhile
        closed = delete(INCIDENTS).where(INCIDENTS.c.id == incident_id, INCIDENTS.c.closed_at < closed_before)
        if connection.execute(closed).rowcount == 0:
            return False
        connection.execute(delete(EVENTS).where(EVENTS.c.incident_id == incident_id))
        connection.execute(delete(ALERTS).where(ALERTS.c.incident_id == incident_id))
        connection.execute(delete(LEASES).where(LEASES.c.target.in_(leases)))
        return True

    return await store.in_transaction(remove)


async def forget_messages(
    store: IncidentStore, *, deliveries_before: datetime, episodes_before: datetime, alerts_before: datetime
) -> int:
    """Remove what is known of received messages, of alerts that began again, and of alerts without an
    incident that were last heard of, from before (aware UTC).

    Returns the number of rows. They are removed in parts, so whatever ends it early loses nothing.

    Raises:
        Unavailable: the database cannot be reached.
    """
    old_deliveries = select(DELIVERIES.c.source, DELIVERIES.c.delivery).where(
        DELIVERIES.c.at < deliveries_before
    )
    old_episodes = select(EPISODES.c.id).where(EPISODES.c.began_at < episodes_before)
    nobodys = select(ALERTS.c.source, ALERTS.c.service, ALERTS.c.key).where(
        ALERTS.c.incident_id == "", ALERTS.c.last_seen_at < alerts_before
    )
    removed = await _remove_in_parts(store, DELIVERIES, old_deliveries)
    removed += await _remove_in_parts(store, ALERTS, nobodys)
    return removed + await _remove_in_parts(store, EPISODES, old_episodes)


async def _remove_in_parts(store: IncidentStore, table: Table, keys: Select[Any]) -> int:
    """Remove the rows with these primary keys."""
    some = keys.limit(_AT_ONCE)
    statement = delete(table).where(tuple_(*table.primary_key.columns).in_(some))

    def remove(connection: Connection) -> int:
        if table is ALERTS and connection.dialect.name == "postgresql":
            connection.execute(sql.LOCK)  # no receiver hears of one of them meanwhile
        return connection.execute(statement).rowcount

    removed = 0
    while rows := await store.in_transaction(remove):
        removed += rows
    return removed
