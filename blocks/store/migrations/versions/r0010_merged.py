"""Incidents that people have ended, and into which others they are merged; the names of alerts."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0010"
down_revision = "0009"


def upgrade(op: Operations) -> None:
    """Add where an incident goes on, and who ended it; of those before, none goes on or was ended so."""
    op.add_column("incidents", sa.Column("merged_into", sa.String(64), nullable=True))
    op.create_index("ix_incidents_merged_into", "incidents", ["merged_into"])
    op.add_column(
        "incidents", sa.Column("ended_by_person", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("alerts", sa.Column("name", sa.String(255), nullable=True))
