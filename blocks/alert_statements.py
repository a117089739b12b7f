"""The SQL of the intake. Each statement is made once: making one takes SQLAlchemy longer than sending it."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    String,
    Table,
    Update,
    and_,
    bindparam,
    exists,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from blocks.journal_tables import ALERTS, DELIVERIES, EPISODES, EVENTS, INCIDENTS, SELF_WATCH_ROUNDS
from runbook.alert import AlertStatus

_KEY = ("source", "service", "key")


def _one_of(*columns: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether these columns have one of the given values."""
    wanted: BindParameter[Any] = bindparam("wanted", expanding=True)
    return columns[0].in_(wanted) if len(columns) == 1 else tuple_(*columns).in_(wanted)


def _key_of(table: Table) -> list[ColumnElement[str]]:
    return [table.c[name] for name in _KEY]


LOCK = text("SELECT pg_advisory_xact_lock(7301845112)")
"""PostgreSQL's advisory lock of the intake: a number that nothing else in that database locks."""

KNOWN_ALERTS = (
    select(
        ALERTS,
        and_(INCIDENTS.c.id.is_not(None), INCIDENTS.c.closed_at.is_(None)).label("open"),
    )
    .select_from(ALERTS.outerjoin(INCIDENTS, INCIDENTS.c.id == ALERTS.c.incident_id))
    .where(_one_of(*_key_of(ALERTS)))
)
OPEN_INCIDENTS = (
    select(INCIDENTS.c.service, INCIDENTS.c.id)
    .where(_one_of(INCIDENTS.c.service), INCIDENTS.c.closed_at.is_(None))
    .order_by(INCIDENTS.c.id)  # two writers that lock the same rows lock them in the same order
    .with_for_update()
)
"""They are kept from being closed until the transaction ends."""

CLOSED_INCIDENTS = (
    select(INCIDENTS.c.service, INCIDENTS.c.id, INCIDENTS.c.closed_at)
    .where(_one_of(INCIDENTS.c.service), INCIDENTS.c.closed_at >= bindparam("since"))
    .order_by(INCIDENTS.c.closed_at)
)
KNOWN_DELIVERIES = select(DELIVERIES.c.source, DELIVERIES.c.delivery).where(
    _one_of(DELIVERIES.c.source, DELIVERIES.c.delivery)
)
TALLIES = (
    select(
        ALERTS.c.incident_id,
        func.count().label("alerts"),
        func.count().filter(ALERTS.c.status != AlertStatus.RESOLVED.value).label("firing"),
    )
    .where(_one_of(ALERTS.c.incident_id))
    .group_by(ALERTS.c.incident_id)
)
RECENT_EPISODES = (
    select(*_key_of(EPISODES), func.count().label("episodes"))
    .where(_one_of(*_key_of(EPISODES)), EPISODES.c.began_at > bindparam("since"))
    .group_by(*_key_of(EPISODES))
)
FLAPPING = select(EVENTS.c.incident_id).where(_one_of(EVENTS.c.incident_id), EVENTS.c.key == "flapping")
LAST_EVENTS = (
    select(EVENTS.c.incident_id, func.max(EVENTS.c.seq).label("last"))
    .where(_one_of(EVENTS.c.incident_id))
    .group_by(EVENTS.c.incident_id)
)

NEW_INCIDENTS = insert(INCIDENTS)
NEW_EVENTS = insert(EVENTS)
NEW_ALERTS = insert(ALERTS)
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


def _changed(*names: str) -> Update:
    """An update of these columns; the alert's key is given as `of_…`."""
    of = (ALERTS.c[name] == bindparam(f"of_{name}") for name in _KEY)
    return update(ALERTS).where(*of).values({name: bindparam(name) for name in names})


COUNTED = ("changed_at", "last_seen_at", "received")
COUNTED_ALERTS = _changed(*COUNTED)
CHANGED = tuple(column.name for column in ALERTS.c if column.name not in _KEY)
CHANGED_ALERTS = _changed(*CHANGED)
