"""A lease that somebody holds: the right to change a target, or to work on an incident."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

TERM = timedelta(minutes=2)
"""How long a lease lasts unless it is renewed. Its holder renews it with every look at the target."""


class LeaseEnd(NamedTuple):
    """When a lease ends or has ended (aware UTC), and whether by its holder or because nobody renewed it."""

    at: datetime
    let_go: bool


class LeaseLost(Exception):
    """Somebody else works on the target now. Whoever gets this must not write another word."""


class RenewsLeases(Protocol):
    """The store, as far as the holder of a lease needs it."""

    async def renew_lease(self, target: str, token: int, *, until: datetime) -> bool:
        """See `IncidentStore.renew_lease`."""


@dataclass(frozen=True)
class Lease:
    """The right to change a target, or to work on an incident, for a `term` after each renewal."""

    store: RenewsLeases
    target: str
    token: int
    term: timedelta = TERM

    async def check(self) -> None:
        """Renew it.

        Raises:
            LeaseLost: another process has taken it.
            Unavailable: the store cannot be reached, so it is not known.
        """
        if not await self.store.renew_lease(self.target, self.token, until=datetime.now(UTC) + self.term):
            raise self.lost()

    def lost(self) -> LeaseLost:
        """What its holder is told when another has it."""
        return LeaseLost(f"{self.target}: another process has taken over the lease")
