"""Incident stores as earlier releases left them: frozen statements and journals, in `tests/data/stores`."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from blocks.store.journal import IncidentStore
from runbook.alerts.alert import Alert
from runbook.incidents.events import Recorded

T = TypeVar("T")

FROZEN = Path(__file__).parents[1] / "data" / "stores"
VERSIONS = ("0001", "0002", "0003", "0004")
INCIDENT = "inc-20261122-160000-ab12"
AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

_ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "0001": [],
    "0002": [("leases", {"target": "deployment/web", "holder": "", "token": 7, "until": AT})],
}
_ROWS["0003"] = [
    *_ROWS["0002"],
    (
        "alerts",
        {
            "source": "alertmanager",
            "service": "posthog-integration",
            "key": "f1",
            "incident_id": INCIDENT,
            "status": "firing",
            "starts_at": AT,
            "changed_at": None,
            "turned_at": AT,
            "last_seen_at": AT,
            "received": 41,
            "journalled": True,
        },
    ),
    ("deliveries", {"source": "pagerduty", "delivery": "d1", "at": AT}),
    (
        "episodes",
        {"source": "alertmanager", "service": "posthog-integration", "key": "f1", "began_at": AT},
    ),
]
_ROWS["0004"] = [
    *_ROWS["0003"],
    (
        "self_watch_rounds",
        {"id": "r1", "environment": "default", "received_at": AT, "done_at": None, "broken": None},
    ),
    (
        "self_watch_calls",
        {
            "id": 1,
            "environment": "default",
            "at": AT,
            "because": "x",
            "told": True,
            "ended_at": None,
        },
    ),
]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction in the database, past everything of ours."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def make(url: str, version: str) -> None:
    """Make the store of that version, with an open incident and a row per table. Until 0003 none is noted."""
    dialect = url.partition("+")[0]
    statements = (FROZEN / f"{version}.{dialect}.sql").read_text().split(";\n")
    async with connected(url) as connection:
        for statement in filter(str.strip, statements):
            await connection.execute(text(statement))
        opened = {"id": INCIDENT, "service": "posthog-integration", "opened_at": AT, "closed_at": None}
        await _insert(connection, "incidents", opened)
        for line in frozen_journal(version):
            item = Recorded.model_validate(line)
            body = json.dumps(line["event"])
            row = {"incident_id": INCIDENT, "seq": item.seq, "key": f"seq-{item.seq}", "at": item.at}
            await _insert(connection, "events", {**row, "body": body})
        for table, row in _ROWS[version]:
            await _insert(connection, table, row)


def frozen_journal(version: str) -> list[dict[str, Any]]:
    """The journal that the last release with that version's tables wrote: every type of event once."""
    return [json.loads(line) for line in (FROZEN / f"{version}.journal.jsonl").read_text().splitlines()]


async def _insert(connection: AsyncConnection, table: str, row: dict[str, Any]) -> None:
    if connection.dialect.name == "sqlite":  # as SQLAlchemy's type writes it there
        row = {
            name: value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
            for name, value in row.items()
        }
    values = ", ".join(f":{name}" for name in row)
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"  # noqa: S608 - names of ours
    await connection.execute(text(statement), row)


async def look(url: str, at: Callable[[Connection], T]) -> T:
    """What a function of a connection says."""
    async with connected(url) as connection:
        return await connection.run_sync(at)


def layout(connection: Connection) -> dict[str, Any]:
    """Every table with its columns, keys and indexes, as the database describes them."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": [{**item, "type": str(item["type"])} for item in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "indexes": sorted(_index(item) for item in inspector.get_indexes(table)),
        }
        for table in sorted(inspector.get_table_names())
    }


def _index(index: Mapping[str, Any]) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by the names of its columns."""
    tables = sorted(inspect(connection).get_table_names())
    found = {table: connection.execute(text(f"SELECT * FROM {table}")) for table in tables}  # noqa: S608
    return {table: sorted((dict(row._mapping) for row in result), key=str) for table, result in found.items()}


SENT_AGAIN = Alert(
    source="alertmanager", service="posthog-integration", name="A", summary="5xx", fingerprint="f1"
)


def store_at(url: str) -> IncidentStore:
    """The store, as this release opens it."""
    return IncidentStore(url=SecretStr(url))
