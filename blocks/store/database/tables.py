"""The tables of the incident store.

`events` is append-only: `(incident_id, seq)` orders an incident's journal, `(incident_id, key)` makes an
append repeatable. Its `writer` is the role that wrote the row, by PostgreSQL's own account: a trigger notes
it whatever a client says, and who changes a row becomes its writer. The owner of the table can drop the
trigger, so people's roles should only read and insert. SQLite knows no roles.

`incidents` holds what must be unique or found by index; everything else is a fold over the events. A service
has one open incident at most, and beside it one open rehearsal (`dry_run`). `switch_may_be_on` marks those
that turned a temporary switch on, until it is known to be off. `merged_into` is the incident where the
response to this one goes on. If that one is merged as well, this one then names where both go on.
`ended_by_person`: it is closed on somebody's word, whether or not the checks agree.
`leases` says who may change which target now; its tokens only ever grow.

`alerts` is what is known of each alert, with the number of messages about it, and without an incident where
its service is none that the runbook knows; `deliveries` are the messages
that were received from senders that number them; `episodes` is when alerts began again.

`self_watch_rounds` are the synthetic alerts that the receiver has taken, and what became of each;
`self_watch_calls` are the pages to a person because the runbook itself did not work.

`incident_store` has one row: the id by which a store is known from all others, and how often a deleted log of
it was saved, see `blocks.store.database.file`; `written_at` is when somebody last tried whether it can be
written.

Stores with rows in them are brought to these tables by `blocks.store.migrations`: who changes one adds to it.
"""

from typing import Any

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.event import listen

METADATA = MetaData()

STORE = Table(
    "incident_store",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("renewed", Integer, nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=True),
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("service", String(255), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=True),
    Column("dry_run", Boolean, nullable=False, server_default=false()),
    Column("switch_may_be_on", Boolean, nullable=False, server_default=false(), index=True),
    Column("merged_into", String(64), nullable=True, index=True),
    Column("ended_by_person", Boolean, nullable=False, server_default=false()),
    Index(
        "one_open_incident_per_service",
        "service",
        "dry_run",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("incident_id", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("key", String(255), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", Text, nullable=False),
    Column("writer", String(255), nullable=True),
    Index("append_once_per_key", "incident_id", "key", unique=True),
)

_DDL: Any = DDL  # untyped in SQLAlchemy 2.0

for _statement in (
    """
    CREATE OR REPLACE FUNCTION note_event_writer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.writer := session_user;
      RETURN NEW;
    END
    $$
    """,
    """
    CREATE TRIGGER note_event_writer BEFORE INSERT OR UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION note_event_writer()
    """,
):
    listen(EVENTS, "after_create", _DDL(_statement).execute_if(dialect="postgresql"))

LEASES = Table(
    "leases",
    METADATA,
    Column("target", String(512), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("token", Integer, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
)

ALERTS = Table(
    "alerts",
    METADATA,
    Column("source", String(64), primary_key=True),
    Column("service", String(255), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("incident_id", String(64), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=True),
    Column("changed_at", DateTime(timezone=True), nullable=True),
    Column("turned_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("received", Integer, nullable=False),
    Column("journalled", Boolean, nullable=False),
    Column("name", String(255), nullable=True),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("source", String(64), primary_key=True),
    Column("delivery", String(255), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)

EPISODES = Table(
    "episodes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("source", String(64), nullable=False),
    Column("service", String(255), nullable=False),
    Column("key", String(255), nullable=False),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Index("episodes_of_an_alert", "source", "service", "key", "began_at"),
)

SELF_WATCH_ROUNDS = Table(
    "self_watch_rounds",
    METADATA,
    Column("id", String(255), primary_key=True),
    Column("environment", String(255), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True), nullable=True),
    Column("broken", Text, nullable=True),
)

SELF_WATCH_CALLS = Table(
    "self_watch_calls",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("environment", String(255), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("because", Text, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("ended_at", DateTime(timezone=True), nullable=True),
    Index(
        "one_open_call_per_environment",
        "environment",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
