"""What the incident store holds of the notifications, read past the code that wrote it."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from blocks.store.database.tables import ALERTS, INCIDENTS


@dataclass(frozen=True)
class Stored:
    """What was found."""

    incidents: Counter[str]
    """How many incidents each service has."""
    messages: Counter[str]
    """How many messages were received about each alert, by its fingerprint."""


async def stored(url: str) -> Stored:
    """Read a store that is not in use."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            services = (await connection.execute(select(INCIDENTS.c.service))).scalars()
            return Stored(Counter(services), await _messages(connection))
    finally:
        await engine.dispose()


async def _messages(connection: AsyncConnection) -> Counter[str]:
    rows = await connection.execute(select(ALERTS.c.key, ALERTS.c.received))
    return Counter({row.key: row.received for row in rows})
