"""The rounds of the self-watch, and the calls because the runbook itself did not work."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0004"
down_revision = "0003"


def upgrade(op: Operations) -> None:
    """Make both tables."""
    op.create_table(
        "self_watch_rounds",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("environment", sa.String(255), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken", sa.Text, nullable=True),
    )
    op.create_table(
        "self_watch_calls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "one_open_call_per_environment",
        "self_watch_calls",
        ["environment"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
