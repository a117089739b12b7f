"""The statements of a journal, within a transaction that the caller has."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Update, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from blocks.store.database.tables import ALERTS, EVENTS, INCIDENTS
from runbook.actions.catalogue import TEMPORARY_SWITCHES
from runbook.approvals.ends import NotOpen
from runbook.incidents.events import (
    EVENT,
    ActionFinished,
    Event,
    IncidentAbsorbed,
    IncidentClosed,
    IncidentMerged,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    Recorded,
)
from runbook.outside_text import let_in_line

_AFTER_ASCII = "\x80"
"""Comes after every character of an incident's id."""


class UnknownIncident(LookupError):
    """No incident has this id, which somebody may have typed."""

    def __init__(self, text: str) -> None:
        super().__init__(let_in_line(text))


async def open_incident_of(connection: AsyncConnection, service: str, *, dry_run: bool) -> str | None:
    """The open incident, or rehearsal, of a service, kept from being closed until this transaction ends."""
    query = select(INCIDENTS.c.id).where(
        INCIDENTS.c.service == service, INCIDENTS.c.closed_at.is_(None), INCIDENTS.c.dry_run.is_(dry_run)
    )
    incident_id: str | None = (await connection.execute(query.with_for_update())).scalar_one_or_none()
    return incident_id


async def insert_event(
    connection: AsyncConnection, incident_id: str, event: Event, *, key: str | None, at: datetime
) -> Recorded:
    """Write an event at the end of its journal; `IntegrityError` where another writer took its place."""
    newest = select(func.max(EVENTS.c.seq)).where(EVENTS.c.incident_id == incident_id)
    last: int | None = (await connection.execute(newest)).scalar_one()
    if last is None and not isinstance(event, IncidentOpened):
        raise UnknownIncident(f"no incident {incident_id}")
    seq = (last or 0) + 1
    values = {"incident_id": incident_id, "seq": seq, "key": key or f"seq-{seq}", "at": at}
    written = insert(EVENTS).values(**values, body=EVENT.dump_json(event).decode())
    writer: str | None = (await connection.execute(written.returning(EVENTS.c.writer))).scalar_one()
    return Recorded(seq=seq, at=at, event=event, writer=writer or "")


def changes_of_incidents(incident_id: str, event: Event, *, at: datetime) -> list[Update]:
    """What an event changes in the table of incidents, which is an index of the journals."""
    its = update(INCIDENTS).where(INCIDENTS.c.id == incident_id)
    match event:
        case IncidentClosed():
            return [its.values(closed_at=at)]
        case IncidentReopened():
            return [its.values(closed_at=None, merged_into=None, ended_by_person=False)]
        case IncidentResolved() if event.by:
            return [its.values(ended_by_person=True)]
        case IncidentMerged():
            before = update(INCIDENTS).where(INCIDENTS.c.merged_into == incident_id)
            alerts = update(ALERTS).where(ALERTS.c.incident_id == incident_id).values(incident_id=event.into)
            return [its.values(merged_into=event.into), before.values(merged_into=event.into), alerts]
        case ActionFinished() if event.result.action.name in TEMPORARY_SWITCHES:
            return [its.values(switch_may_be_on=True)]
        case _:
            return []


async def merge_into(
    connection: AsyncConnection,
    incident_id: str,
    merged: IncidentMerged,
    absorbed: IncidentAbsorbed,
    *,
    at: datetime,
) -> Recorded:
    """Write into both journals that one incident is part of the other; returns how the first one ended.

    Where it had ended before, nothing is written.

    Raises:
        NotOpen: the other one has ended.
        IntegrityError: another writer took a place in one of the journals.
    """
    both = select(INCIDENTS.c.id).where(INCIDENTS.c.id.in_((incident_id, merged.into)))
    await connection.execute(both.order_by(INCIDENTS.c.id).with_for_update())
    if known := await event_by_key(connection, incident_id, merged.journal_key):
        return known
    if not await event_by_key(connection, merged.into, absorbed.journal_key):
        await insert_event(connection, merged.into, absorbed, key=absorbed.journal_key, at=at)
    if await has_ended(connection, merged.into):  # after what is written there: nobody can end it before that
        raise NotOpen(f"{merged.into} has ended")
    for statement in changes_of_incidents(incident_id, merged, at=at):
        await connection.execute(statement)
    return await insert_event(connection, incident_id, merged, key=merged.journal_key, at=at)


async def has_ended(connection: AsyncConnection, incident_id: str) -> bool:
    """Whether an incident has ended since it was opened, or reopened last."""
    its = EVENTS.c.incident_id == incident_id
    counted = select(func.count()).where(its, EVENTS.c.key.startswith(IncidentReopened.KEYS))
    reopened: int = (await connection.execute(counted)).scalar_one()
    return await event_by_key(connection, incident_id, IncidentResolved.key_after(reopened)) is not None


async def event_by_key(connection: AsyncConnection, incident_id: str, key: str) -> Recorded | None:
    """The event with this key in a journal; `None` if there is none."""
    query = select(EVENTS).where(EVENTS.c.incident_id == incident_id, EVENTS.c.key == key)
    row = (await connection.execute(query)).one_or_none()
    return recorded(row) if row is not None else None


def recorded(row: Any) -> Recorded:
    """A row of the table of events as it was written."""
    return Recorded(seq=row.seq, at=aware(row.at), event=_event(row.body), writer=row.writer or "")


@lru_cache(maxsize=1000)
def _event(body: str) -> Event:
    """An event as it was written. A response reads its journal dozens of times, and events never change."""
    return EVENT.validate_json(body)


def aware(at: datetime) -> datetime:
    """A time from the database in UTC; SQLite drops the zone."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def beginning_with(reference: str, *, by_code_points: bool) -> Select[tuple[str]]:
    """The ids that begin with this: the id itself first, then the newest.

    With `by_code_points`, as SQLite compares, the index on the ids finds the range.
    """
    ids = INCIDENTS.c.id
    begins = func.substr(ids, 1, len(reference)) == reference
    if by_code_points:
        begins = and_(ids >= reference, ids < f"{reference}{_AFTER_ASCII}")
    return select(ids).where(begins).order_by(ids != reference, INCIDENTS.c.opened_at.desc())


def effects_written_since(at: datetime) -> Select[Any]:
    """The events since then (aware UTC) that begin or end an effect, by incident, oldest first."""
    written = select(EVENTS).where(EVENTS.c.at >= at, EVENTS.c.body.contains('"type":"Effect'))
    return written.order_by(EVENTS.c.incident_id, EVENTS.c.seq)
