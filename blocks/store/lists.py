"""The incidents that somebody on a schedule has to look at: all of them, however many there are."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Exists,
    Select,
    String,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)

from blocks.store.database.tables import EVENTS, INCIDENTS
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import beginning_with
from runbook.incidents.events import IncidentReopened, IncidentResolved, PublicTextProposed
from runbook.incidents.incident import Incident

_NEWEST_FIRST = select(INCIDENTS.c.id).order_by(INCIDENTS.c.opened_at.desc())


async def open_incidents(store: IncidentStore, *, or_closed_since: datetime | None = None) -> list[Incident]:
    """Every open incident, and every one that was closed since then (aware UTC), newest first.

    Raises:
        Unavailable: the database cannot be reached.
    """
    closed_since = false() if or_closed_since is None else INCIDENTS.c.closed_at >= or_closed_since
    return await _read(store, _NEWEST_FIRST.where(or_(INCIDENTS.c.closed_at.is_(None), closed_since)))


async def incidents_with_public_texts(store: IncidentStore, *, closed_since: datetime) -> list[Incident]:
    """Every incident that was closed since then (aware UTC) and of which a text for the public was proposed.

    Found by the keys of the journals, so that no event is read of any other. Newest first.

    Raises:
        Unavailable: the database cannot be reached.
    """
    asked = exists().where(
        EVENTS.c.incident_id == INCIDENTS.c.id, EVENTS.c.key.like(f"{PublicTextProposed.KEYS}%")
    )
    return await _read(store, _NEWEST_FIRST.where(INCIDENTS.c.closed_at >= closed_since, asked))


async def open_incident_of(store: IncidentStore, service: str, *, dry_run: bool = False) -> str | None:
    """The id of the open incident, or rehearsal, of a service.

    Raises:
        Unavailable: the database cannot be reached.
    """
    its = (INCIDENTS.c.service == service) & INCIDENTS.c.dry_run.is_(dry_run)
    query = select(INCIDENTS.c.id).where(its, INCIDENTS.c.closed_at.is_(None))
    return await store.in_transaction(
        lambda connection: connection.execute(query).scalar_one_or_none(), reads_only=True
    )


async def ids_beginning_with(store: IncidentStore, reference: str, *, limit: int) -> list[str]:
    """The ids that begin with this: the id itself first, then the newest; no journal is read.

    Raises:
        Unavailable: the database cannot be reached.
    """
    if not (reference.isascii() and reference.isprintable()):
        return []  # our ids have nothing else, and a database may not take it

    def find(connection: Connection) -> list[str]:
        query = beginning_with(reference, by_code_points=connection.dialect.name == "sqlite")
        return list(connection.execute(query.limit(limit)).scalars())

    return await store.in_transaction(find, reads_only=True)


async def incidents_with_switches(store: IncidentStore) -> list[Incident]:
    """Every incident that may have left a temporary switch on, newest first.

    Raises:
        Unavailable: the database cannot be reached.
    """
    return await _read(store, _NEWEST_FIRST.where(INCIDENTS.c.switch_may_be_on.is_(True)))


async def note_switches_off(store: IncidentStore, incidents: Iterable[str]) -> None:
    """Mark closed incidents with no switch left on: they are no longer listed.

    Raises:
        Unavailable: the database cannot be reached.
    """
    closed = INCIDENTS.c.id.in_(list(incidents)) & INCIDENTS.c.closed_at.is_not(None)
    noted = update(INCIDENTS).where(closed).values(switch_may_be_on=False)
    await store.in_transaction(lambda connection: connection.execute(noted).rowcount)


async def incidents_that_lack(store: IncidentStore, collections: Iterable[str]) -> list[Incident]:
    """Every resolved incident that lacks one of these collections of evidence (`after-1h`), newest first.

    After a reopening the collections of the last end count (`after-1h-2`), see `runbook.evidence.manifest`.
    Found by the keys of the journals, so that no event is read of an incident that has them all.

    Raises:
        Unavailable: the database cannot be reached.
    """
    lacks = or_(false(), *(~_has(f"evidence:{collection}", _LIFE) for collection in collections))
    return await _read(store, _NEWEST_FIRST.where(_has(IncidentResolved.KEY, _END), lacks))


_REOPENED = (
    select(func.count())
    .where(EVENTS.c.incident_id == INCIDENTS.c.id, EVENTS.c.key.like(f"{IncidentReopened.KEYS}%"))
    .correlate(INCIDENTS)
    .scalar_subquery()
)


def _numbered(sign: str) -> ColumnElement[str]:
    """How a key or a name ends in the present life of an incident."""
    return case((_REOPENED == 0, literal("")), else_=literal(sign) + cast(_REOPENED + 1, String))


_LIFE, _END = _numbered("-"), _numbered(":")


def _has(key: str, ending: ColumnElement[str]) -> Exists:
    return exists().where(EVENTS.c.incident_id == INCIDENTS.c.id, EVENTS.c.key == literal(key) + ending)


async def _read(store: IncidentStore, query: Select[tuple[str]]) -> list[Incident]:
    def ids(connection: Connection) -> list[str]:
        return list(connection.execute(query).scalars())

    return [await store.read(incident_id) for incident_id in await store.in_transaction(ids, reads_only=True)]
