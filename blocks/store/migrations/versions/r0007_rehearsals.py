"""Rehearsals: incidents opened with `dry_run`, beside which a service may have a real one."""

import json

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0007"
down_revision = "0006"


def upgrade(op: Operations) -> None:
    """Mark the rehearsals, which were only to be told by the first run of their journal."""
    op.add_column("incidents", sa.Column("dry_run", sa.Boolean, nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    events = sa.table("events", *map(sa.column, ("incident_id", "seq", "key", "body")))
    incidents = sa.table("incidents", sa.column("id"), sa.column("dry_run"))
    started = sa.select(events.c.incident_id, events.c.body).where(events.c.body.contains('"RunStarted"'))
    first: dict[str, bool] = {}
    for incident_id, body in connection.execute(started.order_by(events.c.incident_id, events.c.seq)):
        event = json.loads(body)
        if event["type"] == "RunStarted":
            first.setdefault(incident_id, bool(event.get("dry_run")))
    rehearsals = [incident_id for incident_id, dry_run in first.items() if dry_run]
    for incident_id in rehearsals:
        marked = sa.update(incidents).where(incidents.c.id == incident_id).values(dry_run=sa.true())
        connection.execute(marked)
    op.drop_index("one_open_incident_per_service", "incidents")
    op.create_index(
        "one_open_incident_per_service",
        "incidents",
        ["service", "dry_run"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
