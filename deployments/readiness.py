"""Whether the receiver can make alerts durable, asked by many at once and found out once."""

import asyncio

from blocks.errors import Unavailable
from blocks.store import IncidentStore

READY_SECONDS = 5.0
"""How long the store may take to say that it is there."""


class Readiness:
    """Asks the store, one question at a time: whoever asks meanwhile is given the same answer.

    Anybody may ask, and each question of the store takes a connection of its own.
    """

    def __init__(self, store: IncidentStore) -> None:
        self._store = store
        self._asking: asyncio.Task[None] | None = None

    async def require(self) -> None:
        """Do nothing if alerts can be made durable.

        Raises:
            OutsideError: they cannot.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._store.check()
        except TimeoutError:
            said = f"it does not answer within {READY_SECONDS:.0f} s"
            raise Unavailable("incident store", said, "Look after the database") from None
