"""Which role of the database wrote an event, by the database's own account."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0006"
down_revision = "0005"

FUNCTION = """
CREATE OR REPLACE FUNCTION note_event_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.writer := session_user;
  RETURN NEW;
END
$$
"""
TRIGGER = """
CREATE TRIGGER note_event_writer BEFORE INSERT OR UPDATE ON events
FOR EACH ROW EXECUTE FUNCTION note_event_writer()
"""


def upgrade(op: Operations) -> None:
    """Add the column, and on PostgreSQL what fills it; the writers of earlier events are not known."""
    op.add_column("events", sa.Column("writer", sa.String(255), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FUNCTION)
        op.execute(TRIGGER)
