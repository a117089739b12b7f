"""The tables of the incident store.

`events` is append-only: `(incident_id, seq)` orders an incident's journal, `(incident_id, key)` makes an
append repeatable. `incidents` holds what must be unique or found by index; everything else is a fold over
the events. `leases` says who may change which target now; its tokens only ever grow.
"""

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, Text, text

METADATA = MetaData()

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
