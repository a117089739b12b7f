"""The tables of releases that wrote no version beside them, recognised by their names and columns."""

from sqlalchemy import Connection, inspect

from blocks.transport.errors import Refused

Layout = dict[str, set[str]]
"""The names of the columns of each table."""

_FIRST: Layout = {
    "incidents": {"id", "service", "opened_at", "closed_at"},
    "events": {"incident_id", "seq", "key", "at", "body"},
}
_WITH_LEASES: Layout = _FIRST | {"leases": {"target", "holder", "token", "until"}}
_WITH_ALERTS: Layout = _WITH_LEASES | {
    "alerts": {
        *("source", "service", "key", "incident_id", "status", "starts_at", "changed_at", "turned_at"),
        *("last_seen_at", "received", "journalled"),
    },
    "deliveries": {"source", "delivery", "at"},
    "episodes": {"id", "source", "service", "key", "began_at"},
}

UNVERSIONED: dict[str, Layout] = {"0001": _FIRST, "0002": _WITH_LEASES, "0003": _WITH_ALERTS}
"""By the revision that makes them. Nothing is added here: since then, every database has its version."""


def recognise(connection: Connection) -> str:
    """The revision that makes the tables that are there.

    Raises:
        Refused: they are of no release of the runbook.
    """
    inspector = inspect(connection)
    ours = sorted(_WITH_ALERTS.keys() & set(inspector.get_table_names()))
    found = {table: {column["name"] for column in inspector.get_columns(table)} for table in ours}
    for version, layout in UNVERSIONED.items():
        if found == layout:
            return version
    raise Refused(
        "incident store",
        f"the database has tables named {', '.join(ours)} that the runbook did not create",
        "Use a separate database in [store] url",
    )
