"""Alerts into the incident store: a batch of messages is one transaction, so a storm costs few commits.

What the messages mean is decided in `runbook.alerts.intake`. Receivers that share a database write one after
another: SQLite has one writer, PostgreSQL an advisory lock.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select
from sqlalchemy.exc import IntegrityError

from blocks.store import alert_statements as sql
from blocks.store.database.errors import SYSTEM, StoreUnavailable
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import aware
from runbook.alerts.alert import AlertStatus
from runbook.alerts.episodes import AlertRecord, Meaning, meaning_of
from runbook.alerts.intake import (
    FLAPPING_WITHIN,
    RECURS_WITHIN,
    Batch,
    Delivery,
    Key,
    Known,
    Message,
    Received,
    Tally,
    Told,
)
from runbook.alerts.unrouted import EVERY_SERVICE, Routing
from runbook.incidents.events import EVENT, IncidentOpened
from runbook.policy.permissions import Permissions

_ATTEMPTS = 20

Journals: TypeAlias = dict[str, int]
"""The last place in the journal of each incident that has one."""


async def receive(
    store: IncidentStore,
    messages: Sequence[Message],
    *,
    environment: str,
    new_id: Callable[[datetime], str],
    flapping_episodes: int,
    permissions: Permissions | None = None,
    reopen_within: timedelta = timedelta(0),
    routing: Routing = EVERY_SERVICE,
) -> list[Received]:
    """Make the messages durable, all or none, and say what became of each.

    `new_id` gives the id of an incident that opens at a time; see `Batch` for `flapping_episodes`,
    `permissions`, `reopen_within` and `routing`.

    Raises:
        Unavailable: the database cannot be reached; none was written.
    """

    def take(connection: Connection) -> list[Received]:
        known, journals = _read(connection, messages, reopen_within)
        stored = set(known.alerts)
        batch = Batch(known, environment, new_id, flapping_episodes, permissions, reopen_within, routing)
        received = [batch.take(message) for message in messages]
        _write(connection, batch, stored, journals)
        return received

    for _ in range(_ATTEMPTS):
        try:
            return await store.in_transaction(take)
        except IntegrityError:
            await asyncio.sleep(0)  # a run wrote to the same incident in between: look again
    raise StoreUnavailable(SYSTEM, "too many concurrent writers to the open incidents", "Try again")


async def note_told(store: IncidentStore, alerts: Sequence[AlertRecord]) -> None:
    """Note that people have heard of these unrouted alerts.

    Raises:
        Unavailable: the database cannot be reached.
    """
    keys = sql.wanted((alert.source, alert.service, alert.key) for alert in alerts)
    await store.in_transaction(lambda connection: connection.execute(sql.TOLD_ALERTS, keys).rowcount)


async def firing_alerts(store: IncidentStore) -> list[AlertRecord]:
    """The alerts that fire, the newest message first.

    Raises:
        Unavailable: the database cannot be reached.
    """

    def read(connection: Connection) -> list[AlertRecord]:
        return [_record(row) for row in connection.execute(sql.FIRING_ALERTS).all()]

    return await store.in_transaction(read, reads_only=True)


async def unrouted_alerts(store: IncidentStore) -> list[AlertRecord]:
    """The alerts that fire and belong to no incident, as their service is none of ours; newest first."""
    return await _unrouted(store, sql.UNROUTED_ALERTS)


async def untold_alerts(store: IncidentStore, *, limit: int) -> list[AlertRecord]:
    """Those of them that people have not heard of; the longest firing first, at most so many."""
    return await _unrouted(store, sql.UNTOLD_ALERTS.limit(limit))


async def _unrouted(store: IncidentStore, query: Select[Any]) -> list[AlertRecord]:
    """The alerts that a query finds.

    Raises:
        Unavailable: the database cannot be reached.
    """

    def read(connection: Connection) -> list[AlertRecord]:
        return [_record(row) for row in connection.execute(query).all()]

    return await store.in_transaction(read, reads_only=True)


def _read(
    connection: Connection, messages: Sequence[Message], reopen_within: timedelta
) -> tuple[Known, Journals]:
    if connection.dialect.name == "postgresql":
        connection.execute(sql.LOCK)
    keys = {message.key for message in messages}
    services = {message.alert.service for message in messages}
    latest = max(message.at for message in messages)
    known = Known(alerts=_alerts(connection, keys), open=_open(connection, services))
    known.deliveries = _deliveries(connection, messages)
    changed = {message.key for message in messages if _changes_something(known, message, reopen_within)}
    if not changed:
        return known, {}
    if unopened := services - set(known.open):
        known.closed = _closed(connection, unopened, since=latest - max(RECURS_WITHIN, reopen_within))
        known.environments = _environments(connection, [incident for incident, _ in known.closed.values()])
    journals = _standings(connection, known)
    if again := changed & set(known.alerts):
        known.episodes = _episodes(connection, again, since=latest - FLAPPING_WITHIN)
    return known, journals


def _changes_something(known: Known, message: Message, quiet_for: timedelta) -> bool:
    """Most messages of a storm do not: they are counted, and their incident does not matter."""
    record = known.alerts.get(message.key)
    meaning = meaning_of(record, message.alert, at=message.at, quiet_for=quiet_for)
    return meaning not in (Meaning.REPEATED, Meaning.LATE)


def _key(row: Any) -> Key:
    return row.source, row.service, row.key


def _alerts(connection: Connection, keys: Iterable[Key]) -> dict[Key, AlertRecord]:
    return {_key(row): _record(row) for row in connection.execute(sql.KNOWN_ALERTS, sql.wanted(keys)).all()}


def _open(connection: Connection, services: Iterable[str]) -> dict[str, str]:
    absorbing = connection.execute(sql.ABSORBING_INCIDENTS, sql.wanted(services)).all()
    found = connection.execute(sql.OPEN_INCIDENTS, sql.wanted(services)).all()
    merged = [row for row in absorbing if row.closed_at is None]  # its run has yet to close it
    return {row.service: row.id for row in (*absorbing, *found, *merged)}


def _closed(
    connection: Connection, services: Iterable[str], *, since: datetime
) -> dict[str, tuple[str, datetime]]:
    found = connection.execute(sql.CLOSED_INCIDENTS, {**sql.wanted(services), "since": since})
    return {row.service: (row.id, aware(row.closed_at)) for row in found}  # the newest comes last


def _environments(connection: Connection, incidents: Sequence[str]) -> dict[str, str]:
    if not incidents:
        return {}
    openings = connection.execute(sql.OPENINGS, sql.wanted(incidents)).all()
    opened = {row.incident_id: EVENT.validate_json(row.body) for row in openings}
    return {id_: event.environment for id_, event in opened.items() if isinstance(event, IncidentOpened)}


def _deliveries(connection: Connection, messages: Sequence[Message]) -> set[Delivery]:
    keys = {(message.alert.source, message.alert.delivery) for message in messages if message.alert.delivery}
    if not keys:
        return set()
    found = connection.execute(sql.KNOWN_DELIVERIES, sql.wanted(keys)).all()
    return {(row.source, row.delivery) for row in found}


def _standings(connection: Connection, known: Known) -> Journals:
    """Fill in how the open incidents stand, and those that may be reopened."""
    ids = [*known.open.values(), *(incident for incident, _ in known.closed.values())]
    found = connection.execute(sql.STANDINGS, sql.wanted(ids)).all()
    known.tallies = {row.id: Tally(alerts=row.alerts, firing=row.firing) for row in found}
    known.flapping = {row.id for row in found if row.flapping}
    known.reopened = {row.id: row.reopened for row in found}
    return {row.id: row.last for row in found}


def _episodes(connection: Connection, keys: Iterable[Key], *, since: datetime) -> dict[Key, int]:
    found = connection.execute(sql.RECENT_EPISODES, {**sql.wanted(keys), "since": since}).all()
    return {_key(row): row.episodes for row in found}


def _write(connection: Connection, batch: Batch, stored: set[Key], journals: Journals) -> None:
    if batch.opened:
        rows = [{"id": id_, "service": of, "opened_at": at} for id_, (of, at) in batch.opened.items()]
        connection.execute(sql.NEW_INCIDENTS, rows)
    if batch.reopened:
        connection.execute(sql.REOPENED_INCIDENTS, sql.wanted(batch.reopened))
    _write_events(connection, batch.told, journals)
    _write_alerts(connection, batch, stored)
    if batch.deliveries:
        seen = [
            {"source": source, "delivery": delivery, "at": at}
            for (source, delivery), at in batch.deliveries.items()
        ]
        connection.execute(sql.NEW_DELIVERIES, seen)
    if batch.episodes:
        began = [
            {"source": source, "service": service, "key": key, "began_at": at}
            for (source, service, key), at in batch.episodes
        ]
        connection.execute(sql.NEW_EPISODES, began)
    for message in batch.rounds:
        round_ = {"round_id": message.alert.key, "of_environment": batch.environment, "at": message.at}
        connection.execute(sql.NEW_ROUND, round_)


def _write_events(connection: Connection, told: Sequence[Told], journals: Journals) -> None:
    if not told:
        return
    rows = []
    for incident, items in groupby(sorted(told, key=lambda item: item.incident), lambda item: item.incident):
        for seq, item in enumerate(items, start=journals.get(incident, 0) + 1):
            body = EVENT.dump_json(item.event).decode()
            key = item.key or f"seq-{seq}"
            rows.append({"incident_id": incident, "seq": seq, "key": key, "at": item.at, "body": body})
    connection.execute(sql.NEW_EVENTS, rows)


def _write_alerts(connection: Connection, batch: Batch, stored: set[Key]) -> None:
    records = [batch.known.alerts[key] for key in sorted(batch.alerts)]
    new = [_row(record) for record in records if record.address not in stored]
    known = [_row(record) for record in records if record.address in stored]
    if new:
        connection.execute(sql.NEW_ALERTS, new)
    if known:
        connection.execute(sql.CHANGED_ALERTS, known)


def _row(record: AlertRecord) -> dict[str, Any]:
    return {
        "of_source": record.source,
        "of_service": record.service,
        "of_key": record.key,
        "name": record.name,
        "incident_id": record.incident,
        "status": record.status.value,
        "starts_at": record.starts_at,
        "changed_at": record.changed_at,
        "turned_at": record.turned_at,
        "last_seen_at": record.last_seen_at,
        "received": record.received,
        "journalled": record.journalled,
    }


def _record(row: Any) -> AlertRecord:
    return AlertRecord(
        source=row.source,
        key=row.key,
        service=row.service,
        name=row.name or row.key,
        incident=row.incident_id,
        open=bool(row.open),
        status=AlertStatus(row.status),
        starts_at=aware(row.starts_at) if row.starts_at else None,
        changed_at=aware(row.changed_at) if row.changed_at else None,
        turned_at=aware(row.turned_at),
        last_seen_at=aware(row.last_seen_at),
        received=row.received,
        journalled=row.journalled,
        ended_at=aware(row.ended_at) if row.ended_at else None,
    )
