"""The incident store: an append-only journal per incident, in SQL.

SQLite by default, PostgreSQL by URL. Every writer of the runbook writes here first: the receiver before it
answers, the gates before they act on an answer, the effects before and after they happen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import uniform
from typing import TypeVar

from pydantic import SecretStr
from sqlalchemy import Connection, insert, make_url, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from blocks.store.database.engines import Database, database
from blocks.store.database.errors import SYSTEM, StoreUnavailable, translated
from blocks.store.database.tables import EVENTS, INCIDENTS, STORE
from blocks.store.journal_statements import (
    UnknownIncident,
    changes_of_incidents,
    effects_written_since,
    event_by_key,
    insert_event,
    merge_into,
    open_incident_of,
    recorded,
)
from blocks.store.lease import Lease, LeaseEnd
from blocks.store.lease_statements import end_of, release, renewal, require_held, take
from runbook.alerts.alert import Alert
from runbook.incidents.effects import Effect
from runbook.incidents.events import (
    AlertJoined,
    EffectIntended,
    EffectSettled,
    Event,
    IncidentAbsorbed,
    IncidentMerged,
    IncidentOpened,
    Recorded,
)
from runbook.incidents.incident import Incident
from runbook.policy.permissions import Permissions

ResultT = TypeVar("ResultT")

_APPEND_ATTEMPTS, _APART_SECONDS = 20, 0.005  # writers of one incident collide on `seq`, and move apart


@dataclass(frozen=True, kw_only=True)
class IncidentStore:
    """Where incidents and their journals are kept. Prefect is not imported for it: commands read much."""

    url: SecretStr = field(repr=False)
    """SQLAlchemy URL, see `IncidentStoreBlock`."""

    async def open_incident(
        self,
        alert: Alert,
        *,
        incident_id: str,
        at: datetime,
        environment: str = "default",
        dry_run: bool = False,
        permissions: Permissions | None = None,
    ) -> tuple[Incident, bool]:
        """Open an incident for the alert, or join the alert to the open incident of its service.

        A rehearsal (`dry_run`) joins a rehearsal only, and an incident no rehearsal. Two callers at once open
        one: the database's unique index decides. Returns the incident and whether it is new.

        Raises:
            Unavailable: the database cannot be reached.
        """
        opening = IncidentOpened(
            alert=alert,
            environment=environment,
            states_identities=True,
            dry_run=dry_run,
            permissions=permissions,
        )
        for _ in range(_APPEND_ATTEMPTS):
            with suppress(IntegrityError):  # another caller opened one in between: look again
                async with self._transaction() as connection:
                    joined = await open_incident_of(connection, alert.service, dry_run=dry_run)
                    event: Event
                    if joined is None:
                        row = {"id": incident_id, "service": alert.service, "opened_at": at}
                        await connection.execute(insert(INCIDENTS).values(**row, dry_run=dry_run))
                        event = opening
                    else:
                        event = AlertJoined(alert=alert)
                    await insert_event(connection, joined or incident_id, event, key=event.journal_key, at=at)
                return await self.read(joined or incident_id), joined is None
        raise StoreUnavailable(SYSTEM, "too many concurrent writers to the open incident", "Try again")

    async def append(
        self,
        incident_id: str,
        event: Event,
        *,
        at: datetime,
        key: str | None = None,
        lease: Lease | None = None,
    ) -> Recorded:
        """Write an event; with a key that is already in this journal, return what was written then.

        Raises:
            UnknownIncident: there is no such incident.
            LeaseLost: another process has taken the lease; nothing was written.
            Unavailable: the database cannot be reached; or it is reopened while another one is open.
        """
        for attempt in range(_APPEND_ATTEMPTS):
            try:
                async with self._transaction() as connection:
                    if lease is not None:
                        await require_held(connection, lease)
                    if key is not None and (known := await event_by_key(connection, incident_id, key)):
                        return known
                    for statement in changes_of_incidents(incident_id, event, at=at):
                        await connection.execute(statement)  # first, as who joins also locks this row first
                    return await insert_event(connection, incident_id, event, key=key, at=at)
            except IntegrityError:
                await asyncio.sleep(uniform(0, attempt * _APART_SECONDS))  # noqa: S311  take the next place
        raise StoreUnavailable(SYSTEM, f"too many concurrent writers to {incident_id}", "Try again")

    async def merge(
        self, incident_id: str, merged: IncidentMerged, absorbed: IncidentAbsorbed, *, at: datetime
    ) -> Recorded:
        """Write into both journals, or none, that an incident is part of another; returns how it ended.

        That is another end where it had ended before; then nothing is written.

        Raises:
            NotOpen: the other one has ended meanwhile.
            UnknownIncident: there is no such incident.
            Unavailable: the database cannot be reached.
        """
        for _ in range(_APPEND_ATTEMPTS):
            with suppress(IntegrityError):  # another writer took this place in an order: take the next one
                async with self._transaction() as connection:
                    return await merge_into(connection, incident_id, merged, absorbed, at=at)
        raise StoreUnavailable(SYSTEM, f"too many concurrent writers to {incident_id}", "Try again")

    async def read(self, incident_id: str) -> Incident:
        """Read an incident.

        Raises:
            UnknownIncident: there is no such incident.
            Unavailable: the database cannot be reached.
        """
        query = select(EVENTS).where(EVENTS.c.incident_id == incident_id).order_by(EVENTS.c.seq)
        async with self._reading() as connection:
            journal = [recorded(row) for row in await connection.execute(query)]
        if not journal:
            raise UnknownIncident(f"no incident {incident_id}")
        return Incident.from_events(incident_id, journal)

    async def incidents(self, *, only_open: bool = False, limit: int = 50) -> list[Incident]:
        """The newest incidents, newest first.

        Raises:
            Unavailable: the database cannot be reached.
        """
        query = select(INCIDENTS.c.id).order_by(INCIDENTS.c.opened_at.desc()).limit(limit)
        if only_open:
            query = query.where(INCIDENTS.c.closed_at.is_(None))
        async with self._reading() as connection:
            ids = list((await connection.execute(query)).scalars())
        return [await self.read(incident_id) for incident_id in ids]

    async def role(self) -> str:
        """Our role in the database, as it will note it with what we write; empty where it notes none.

        Raises:
            Unavailable: the database cannot be reached.
        """
        if not self._is_on("postgresql"):
            return ""
        async with self._reading() as connection:
            return str((await connection.execute(text("SELECT session_user"))).scalar_one())

    async def check(self) -> None:
        """Look whether the database answers.

        Raises:
            Unavailable: it does not.
        """
        async with self._reading() as connection:
            await connection.execute(select(INCIDENTS.c.id).limit(1))

    async def try_writing(self, *, at: datetime) -> None:
        """Find out whether the database can be written: a full disk can still be read.

        Raises:
            Unavailable: it cannot.
        """
        await self.in_transaction(
            lambda connection: connection.execute(update(STORE).values(written_at=at)).rowcount
        )

    async def effects_since(self, at: datetime) -> list[Effect]:
        """What is known of every effect that any incident intended or completed since then (aware UTC).

        Raises:
            Unavailable: the database cannot be reached.
        """
        async with self._reading() as connection:
            found = [recorded(row).event for row in await connection.execute(effects_written_since(at))]
        newest = {e.effect.id: e.effect for e in found if isinstance(e, EffectIntended | EffectSettled)}
        return list(newest.values())

    async def take_lease(
        self, target: str, holder: str, *, at: datetime, until: datetime
    ) -> tuple[int | None, str]:
        """Take the right to change a target: a new token, or `None` and who holds it until later than `at`.

        The holder itself may take it again, which invalidates the previous token.

        Raises:
            Unavailable: the database cannot be reached.
        """
        for _ in range(_APPEND_ATTEMPTS):
            with suppress(IntegrityError):  # the first lease of a target, and another caller was first
                async with self._transaction() as connection:
                    return await take(connection, target, holder, at=at, until=until)
        raise StoreUnavailable(SYSTEM, f"too many processes want the lease of {target}", "Try again")

    async def renew_lease(self, target: str, token: int, *, until: datetime) -> bool:
        """Whether the token is still the newest; its lease then lasts until the given time.

        Raises:
            Unavailable: the database cannot be reached.
        """
        async with self._transaction() as connection:
            return (await connection.execute(renewal(target, token, until=until))).rowcount == 1

    async def lease_end(self, target: str) -> LeaseEnd | None:
        """How and when the newest lease of a target ends, or did; `None` where nobody ever took one.

        Raises:
            Unavailable: the database cannot be reached.
        """
        async with self._reading() as connection:
            return await end_of(connection, target)

    async def release_lease(self, target: str, token: int, *, at: datetime) -> None:
        """Release a target, unless another process has taken it.

        Raises:
            Unavailable: the database cannot be reached.
        """
        async with self._transaction() as connection:
            await connection.execute(release(target, token, at=at))

    async def in_transaction(
        self, work: Callable[[Connection], ResultT], *, reads_only: bool = False
    ) -> ResultT:
        """Do work of many statements in one transaction in a thread, and return its result.

        The drivers for asyncio go through the event loop for each statement, which takes longer than the
        statement. Where the work only reads, it waits for no writer, and no writer for it.

        Raises:
            Unavailable: the database cannot be reached; nothing was written.
            IntegrityError: another writer was first; nothing was written.
        """
        with translated():
            return await self._database.in_transaction(work, reads_only=reads_only)

    def _is_on(self, backend: str) -> bool:
        return make_url(self.url.get_secret_value()).get_backend_name() == backend

    @property
    def _database(self) -> Database:
        return database(self.url.get_secret_value())

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._database.transaction() as connection:
                yield connection

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._database.reading() as connection:
                yield connection
