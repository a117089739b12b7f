"""The incident that a flow run works on: its journal, and the systems of its environment."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from blocks.environment import Environment
from blocks.lease import Lease
from runbook.events import Event, Recorded
from runbook.incident import Incident
from runbook.policy import Policy


def now() -> datetime:
    """The present moment, aware UTC. The tasks' only clock; the rules take time as an argument."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class OpenIncident:
    """A handle on an incident: steps read what is known and record what happened through it.

    `dry_run` stops every change of the cluster just before it is made. With a `lease`, nothing is written any
    more once another process has taken the incident over.
    """

    id: str
    environment: Environment
    dry_run: bool = False
    lease: Lease | None = None

    @property
    def policy(self) -> Policy:
        """The rules' configuration in this environment."""
        return self.environment.runbook_policy.policy

    async def with_current_policy(self) -> "OpenIncident":
        """The same with the policy that is configured now, see `Environment.with_current_policy`."""
        return replace(self, environment=await self.environment.with_current_policy())

    async def read(self) -> Incident:
        """The incident as its journal tells it now."""
        return await self.environment.store.read(self.id)

    async def record(self, event: Event, *, key: str | None = None) -> Recorded:
        """Write an event; with a key that was written before, the earlier record is returned instead.

        Raises:
            LeaseLost: another process works on the incident now; nothing was written.
            Unavailable: the store cannot be reached.
        """
        return await self.environment.store.append(self.id, event, at=now(), key=key, lease=self.lease)

    async def fence(self) -> None:
        """Make sure that this process is still the one that works on the incident; asked before each effect.

        Raises:
            LeaseLost: another one does.
            Unavailable: the store cannot be reached, so nobody can tell.
        """
        if self.lease is not None:
            await self.lease.check()
