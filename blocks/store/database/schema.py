"""Which version the incident store's tables have, checked whenever a store is opened.

That is one small SELECT where they are up to date. Only where something has to be done is alembic imported,
which takes longer than all else that a receiver or a run does before its first statement.
"""

import secrets
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.store.database.tables import METADATA, STORE

HEAD = "0010"
"""The version that `blocks.store.database.tables` describes: the newest in `blocks.store.migrations`."""

VERSIONS = Table(
    "incident_store_version",  # not alembic's own name: another program's migrations may share the database
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="incident_store_version_pkc"),
)
"""As alembic would make it."""

_CHANGING = {"key": 7_301_845_111}
"""PostgreSQL's advisory lock for changing the tables: a number that nothing else in that database locks."""


async def bring_up_to_date(engine: AsyncEngine) -> None:
    """Make the tables, or upgrade those of an earlier release with what is in them, unless they are current.

    An upgrade is one transaction: whatever ends it early leaves the earlier version. Of several processes at
    once the first does it, and the others wait for that.

    Raises:
        Refused: a newer release or another program made the tables; they were not touched.
    """
    async with engine.connect() as connection:
        # Without a transaction, no process waits for another here.
        reading = await connection.execution_options(isolation_level="AUTOCOMMIT")
        if await reading.run_sync(_is_current):
            return
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # SQLite's transaction begins with its only write lock
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), _CHANGING)
        await connection.run_sync(_change)


def _is_current(connection: Connection) -> bool:
    try:
        return connection.execute(_VERSION).scalars().all() == [HEAD]
    except (OperationalError, ProgrammingError):
        return False  # there is no such table; anything worse is met again in the transaction


def _change(connection: Connection) -> None:
    tables = set(inspect(connection).get_table_names())
    version: str | None = None
    if VERSIONS.name in tables:
        version = connection.execute(_VERSION).scalar_one()
    if version == HEAD:
        return  # another process was first
    if version is None and not tables & METADATA.tables.keys():
        METADATA.create_all(connection)
        VERSIONS.create(connection)
        connection.execute(insert(VERSIONS).values(version_num=HEAD))
        connection.execute(insert(STORE).values(id=secrets.token_hex(16), renewed=0))
        return
    from blocks.store.migrations.upgrade import upgrade  # noqa: PLC0415 - it imports alembic

    upgrade(connection, version)


_VERSION: Any = select(VERSIONS.c.version_num)
