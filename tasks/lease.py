"""One action at a time per target, also across incidents and workers.

A lease lies in the incident store. Whoever takes it gets a new token; the token before is worthless from then
on, so a process that was given up for dead and wakes up late changes nothing any more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from blocks.errors import Unavailable
from blocks.store import IncidentStore
from tasks.incident import OpenIncident, now

TERM = timedelta(minutes=2)
"""How long a lease lasts unless it is renewed. Its holder renews it with every look at the target."""

WAIT_SECONDS = 120.0
"""How long an action waits for another incident's to end before a person is called."""

POLL_SECONDS = 1.0


class LeaseLost(Exception):
    """Somebody else works on the target now. Whoever gets this must not write another word."""


@dataclass(frozen=True)
class Lease:
    """The right to change a target."""

    store: IncidentStore
    target: str
    token: int

    async def check(self) -> None:
        """Renew it.

        Raises:
            LeaseLost: it is another's by now.
            Unavailable: the store cannot be reached, so nobody can tell.
        """
        if not await self.store.renew_lease(self.target, self.token, until=now() + TERM):
            raise LeaseLost(f"{self.target}: another worker or incident has taken over")


@asynccontextmanager
async def leased(incident: OpenIncident, target: str) -> AsyncIterator[Lease]:
    """Hold the target for the incident; a run of the same incident takes it over at once.

    Raises:
        Unavailable: another incident holds it and does not let go in time.
    """
    store = incident.environment.store
    lease = Lease(store, target, await _taken(store, target, incident.id))
    try:
        yield lease
    finally:
        await store.release_lease(target, lease.token)


async def _taken(store: IncidentStore, target: str, holder: str) -> int:
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        token, held_by = await store.take_lease(target, holder, at=now(), until=now() + TERM)
        if token is not None:
            return token
        if asyncio.get_running_loop().time() >= deadline:
            raise Unavailable("target", f"{held_by} is changing {target}", "Wait for it, or look after it")
        await asyncio.sleep(POLL_SECONDS)
