"""The tables of the incident store.

`events` is append-only: `(incident_id, seq)` orders an incident's journal, `(incident_id, key)` makes an
append repeatable. `incidents` holds what must be unique or found by index; everything else is a fold over
the events. `leases` says who may change which target now; its tokens only ever grow.

`alerts` is what is known of each alert, with the number of messages about it; `deliveries` are the messages
that were received from senders that number them; `episodes` is when alerts began again.

`self_watch_rounds` are the synthetic alerts that the receiver has taken, and what became of each;
`self_watch_calls` are the calls to a person because the runbook itself did not work.

`incident_store` has one row: the id by which a store is known from all others, and how often a deleted log of
it was saved, see `blocks.store_file`; `written_at` is when somebody last tried whether it can be written.

Stores with rows in them are brought to these tables by `blocks.store_migrations`: who changes one adds to it.
"""

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, MetaData, String, Table, Text, text

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
    Index(
        "one_open_incident_per_service",
        "service",
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
    Index("append_once_per_key", "incident_id", "key", unique=True),
)

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
