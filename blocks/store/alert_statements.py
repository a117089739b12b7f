"""The SQL of the intake. Each statement is made once: making one takes SQLAlchemy longer than sending it.

Values that are looked for go as one JSON text, whatever their number: so the text of a statement stays the
same, PostgreSQL plans it once, and no limit for the number of parameters is met.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from blocks.store.database.tables import ALERTS, DELIVERIES, EPISODES, EVENTS, INCIDENTS, SELF_WATCH_ROUNDS
from runbook.alerts.alert import AlertStatus
from runbook.incidents.events import IncidentReopened

_KEY = ("source", "service", "key")


class _Elements(FunctionElement[Any]):
    """The elements of a JSON array, a row for each."""

    inherit_cache = True
    name = "elements"


@compiles(_Elements, "sqlite")
def _elements_in_sqlite(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Elements, "postgresql")
def _elements_in_postgresql(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSON))"


class _Item(FunctionElement[str]):
    """The text at a place of a JSON array; the place is a literal."""

    inherit_cache = True
    name = "item"
    type = String()


@compiles(_Item, "sqlite")
def _item_in_sqlite(item: _Item, compiler: SQLCompiler, **options: Any) -> str:
    array, place = (compiler.process(clause, **options) for clause in item.clauses)
    return f"json_extract({array}, '$[{place}]')"


@compiles(_Item, "postgresql")
def _item_in_postgresql(item: _Item, compiler: SQLCompiler, **options: Any) -> str:
    array, place = (compiler.process(clause, **options) for clause in item.clauses)
    return f"({array} ->> {place})"


def _wanted(places: int) -> Select[Any]:
    """The values that are looked for, see `wanted`."""
    elements = _Elements(bindparam("wanted", type_=String)).table_valued(column("value"), name="wanted")
    return select(*(_Item(elements.c.value, literal_column(str(place))) for place in range(places)))


def _one_of(*columns: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether these columns have one of the given values."""
    found = _wanted(len(columns))
    return columns[0].in_(found) if len(columns) == 1 else tuple_(*columns).in_(found)


def wanted(values: Iterable[str] | Iterable[tuple[str, ...]]) -> dict[str, str]:
    """The parameter of the statements that look for values: of one column, or of several each."""
    rows = [[value] if isinstance(value, str) else value for value in values]
    return {"wanted": orjson.dumps(rows).decode()}


def _key_of(table: Table) -> list[ColumnElement[str]]:
    return [table.c[name] for name in _KEY]


LOCK = text("SELECT pg_advisory_xact_lock(7301845112)")
"""PostgreSQL's advisory lock of the intake: a number that nothing else in that database locks."""

_REAL = INCIDENTS.c.dry_run.is_(false())
"""An alert never belongs to a rehearsal."""

_INTO = INCIDENTS.alias("into")
_GOES_ON = or_(INCIDENTS.c.closed_at.is_(None), and_(_INTO.c.id.is_not(None), _INTO.c.closed_at.is_(None)))
"""Whether an incident is open, or is merged into one that is."""

KNOWN_ALERTS = (
    select(
        ALERTS,
        and_(INCIDENTS.c.id.is_not(None), _GOES_ON, _REAL).label("open"),
        case((INCIDENTS.c.ended_by_person.is_(true()), INCIDENTS.c.closed_at)).label("ended_at"),
    )
    .select_from(
        ALERTS.outerjoin(INCIDENTS, INCIDENTS.c.id == ALERTS.c.incident_id).outerjoin(
            _INTO, _INTO.c.id == INCIDENTS.c.merged_into
        )
    )
    .where(_one_of(*_key_of(ALERTS)))
)
FIRING_ALERTS = (
    select(ALERTS, false().label("open"), null().label("ended_at"))
    .where(ALERTS.c.status != AlertStatus.RESOLVED.value)
    .order_by(ALERTS.c.last_seen_at.desc())
)
UNROUTED_ALERTS = FIRING_ALERTS.where(ALERTS.c.incident_id == "")
UNTOLD_ALERTS = (
    UNROUTED_ALERTS.where(ALERTS.c.journalled.is_(false()))
    .order_by(None)
    .order_by(ALERTS.c.turned_at, ALERTS.c.service, ALERTS.c.name)
)
TOLD_ALERTS = (
    update(ALERTS).where(_one_of(*_key_of(ALERTS)), ALERTS.c.incident_id == "").values(journalled=True)
)
OPEN_INCIDENTS = (
    select(INCIDENTS.c.service, INCIDENTS.c.id)
    .where(_one_of(INCIDENTS.c.service), INCIDENTS.c.closed_at.is_(None), _REAL)
    .order_by(INCIDENTS.c.id)  # two writers that lock the same rows lock them in the same order
    .with_for_update()
)
"""They are kept from being closed until the transaction ends."""

ABSORBING_INCIDENTS = (
    select(INCIDENTS.c.service, _INTO.c.id, INCIDENTS.c.closed_at)
    .select_from(INCIDENTS.join(_INTO, _INTO.c.id == INCIDENTS.c.merged_into))
    .where(_one_of(INCIDENTS.c.service), _INTO.c.closed_at.is_(None), _REAL)
    .order_by(INCIDENTS.c.closed_at)
    .with_for_update(of=_INTO)
)
"""The open incidents into which those of other services are merged; of a service, the newest comes last.

One whose run has not closed it yet has no `closed_at`. They, too, are kept from being closed."""

_OVER_AT = case((_INTO.c.id.is_not(None), _INTO.c.closed_at), else_=INCIDENTS.c.closed_at)

CLOSED_INCIDENTS = (
    select(
        INCIDENTS.c.service,
        func.coalesce(_INTO.c.id, INCIDENTS.c.id).label("id"),
        _OVER_AT.label("closed_at"),
    )
    .select_from(INCIDENTS.outerjoin(_INTO, _INTO.c.id == INCIDENTS.c.merged_into))
    .where(_one_of(INCIDENTS.c.service), bindparam("since") <= _OVER_AT, _REAL)
    .order_by(_OVER_AT)
)
"""The incidents of services that are over; of one that is merged, the incident that goes on for it."""
KNOWN_DELIVERIES = select(DELIVERIES.c.source, DELIVERIES.c.delivery).where(
    _one_of(DELIVERIES.c.source, DELIVERIES.c.delivery)
)
RECENT_EPISODES = (
    select(*_key_of(EPISODES), func.count().label("episodes"))
    .where(_one_of(*_key_of(EPISODES)), EPISODES.c.began_at > bindparam("since"))
    .group_by(*_key_of(EPISODES))
)
_OF_INCIDENT = ALERTS.c.incident_id == INCIDENTS.c.id
_JOURNAL = EVENTS.c.incident_id == INCIDENTS.c.id
STANDINGS = select(
    INCIDENTS.c.id,
    select(func.count()).where(_OF_INCIDENT).scalar_subquery().label("alerts"),
    select(func.count())
    .where(_OF_INCIDENT, ALERTS.c.status != AlertStatus.RESOLVED.value)
    .scalar_subquery()
    .label("firing"),
    exists().where(_JOURNAL, EVENTS.c.key == "flapping").label("flapping"),
    select(func.count())
    .where(_JOURNAL, EVENTS.c.key.startswith(IncidentReopened.KEYS))
    .scalar_subquery()
    .label("reopened"),
    select(func.max(EVENTS.c.seq)).where(_JOURNAL).scalar_subquery().label("last"),
).where(_one_of(INCIDENTS.c.id))
"""The alerts of an incident, how many of them fire, whether it is marked as flapping, its journal's end."""

OPENINGS = select(EVENTS.c.incident_id, EVENTS.c.body).where(_one_of(EVENTS.c.incident_id), EVENTS.c.seq == 1)

NEW_INCIDENTS = insert(INCIDENTS)
REOPENED_INCIDENTS = (
    update(INCIDENTS)
    .where(_one_of(INCIDENTS.c.id))
    .values(closed_at=None, merged_into=None, ended_by_person=false())
)
NEW_EVENTS = insert(EVENTS)
_OF: dict[str, BindParameter[Any]] = {name: bindparam(f"of_{name}") for name in _KEY}
_IS: dict[str, BindParameter[Any]] = {
    column.name: bindparam(column.name) for column in ALERTS.c if column.name not in _KEY
}
NEW_ALERTS = insert(ALERTS).values(_OF | _IS)
CHANGED_ALERTS = update(ALERTS).where(*(ALERTS.c[name] == of for name, of in _OF.items())).values(_IS)
"""Both take the columns by their names, and those of the key as `of_…`: SQLAlchemy keeps the plain names."""

NEW_DELIVERIES = insert(DELIVERIES)
NEW_EPISODES = insert(EPISODES)
NEW_ROUND = insert(SELF_WATCH_ROUNDS).from_select(
    ["id", "environment", "received_at"],
    select(
        bindparam("round_id", type_=String),
        bindparam("of_environment", type_=String),
        bindparam("at", type_=DateTime(timezone=True)),
    ).where(~exists().where(SELF_WATCH_ROUNDS.c.id == bindparam("round_id", type_=String))),
)
"""A round that was sent again is there already: a conflict would send back the alerts beside it."""
