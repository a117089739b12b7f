"""The id by which a store is known from all others."""

import secrets

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0008"
down_revision = "0007"


def upgrade(op: Operations) -> None:
    """Make the table with its one row."""
    table = op.create_table(
        "incident_store",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("renewed", sa.Integer, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.bulk_insert(table, [{"id": secrets.token_hex(16), "renewed": 0}])
