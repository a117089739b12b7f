"""Incidents that may have left a temporary switch on, found without reading the journals of all others."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0009"
down_revision = "0008"

_TURNED_ON = ("finished:%-enable-fallback", "finished:%-enable-request-queue")


def upgrade(op: Operations) -> None:
    """Mark every incident that has turned one on; its journal shows whether it is off again."""
    op.add_column(
        "incidents", sa.Column("switch_may_be_on", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_index("ix_incidents_switch_may_be_on", "incidents", ["switch_may_be_on"])
    events = sa.table("events", *map(sa.column, ("incident_id", "key")))
    incidents = sa.table("incidents", sa.column("id"), sa.column("switch_may_be_on"))
    turned_on = sa.select(events.c.incident_id).where(sa.or_(*map(events.c.key.like, _TURNED_ON)))
    marked = sa.update(incidents).where(incidents.c.id.in_(turned_on)).values(switch_may_be_on=sa.true())
    op.get_bind().execute(marked)
