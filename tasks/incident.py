"""The incident that a flow run works on: its journal, and the systems of its environment."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from blocks.environment import Environment
from blocks.store.lease import Lease
from blocks.transport.errors import Refused
from runbook.incidents.events import Event, PolicyChanged, Recorded
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force, policy_note
from runbook.policy.policy import Policy
from tasks.story import tell_event


def now() -> datetime:
    """The present moment, aware UTC. The tasks' only clock; the rules take time as an argument."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class OpenIncident:
    """A handle on an incident: steps read what is known and record what happened through it.

    With a `lease`, nothing more is written once another process has taken over the incident.
    """

    id: str
    environment: Environment
    lease: Lease | None = None

    @property
    def policy(self) -> Policy:
        """The present configuration: thresholds and clocks. For what it permits see `policy_in_force`."""
        return self.environment.runbook_policy.policy

    async def with_current_policy(self, *, within: float = 0.0) -> "OpenIncident":
        """The same with the policy that is configured now, see `Environment.with_current_policy`."""
        return replace(self, environment=await self.environment.with_current_policy(within=within))

    def policy_in_force(self, journal: Incident) -> Policy:
        """The policy that decides what may be done about this incident: the strictest of then and now."""
        return policy_in_force(journal, self.policy)

    async def read(self) -> Incident:
        """The incident as its journal tells it now.

        Raises:
            Refused: it belongs to another environment, whose policy and systems are not these.
            UnknownIncident: no incident has this id.
            Unavailable: the store cannot be reached.
        """
        journal = await self.environment.store.read(self.id)
        require_own(journal, self.environment.name)
        return journal

    async def note_policy(self) -> Incident:
        """Journal the present policy where it is not the one that the journal knows; returns the incident.

        Raises:
            LeaseLost: another process works on the incident now.
            Unavailable: the store cannot be reached.
        """
        journal = await self.read()
        note = policy_note(journal, self.policy)
        if note is None:
            return journal
        if isinstance(note, PolicyChanged):
            await self.record(note, key=note.key_of(len(journal.events(PolicyChanged)) + 1))
        else:
            await self.record_once(note)
        return await self.read()

    async def record(self, event: Event, *, key: str | None = None) -> Recorded:
        """Write an event; with a key that was written before, the earlier record is returned instead.

        What is new is told in the log of the run.

        Raises:
            LeaseLost: another process works on the incident now; nothing was written.
            Unavailable: the store cannot be reached.
        """
        at = now()
        recorded = await self.environment.store.append(self.id, event, at=at, key=key, lease=self.lease)
        if recorded.at == at:  # else it was there before, and has been told
            tell_event(recorded.event)
        return recorded

    async def record_once(self, event: Event) -> Recorded:
        """Write an event under its own key, unless it was: then the earlier record is returned.

        Raises:
            LeaseLost: another process works on the incident now; nothing was written.
            Unavailable: the store cannot be reached.
        """
        return await self.record(event, key=event.journal_key)

    async def fence(self) -> None:
        """Make sure that this process is still the one that works on the incident; asked before each effect.

        Raises:
            LeaseLost: another one does.
            Unavailable: the store cannot be reached, so it is not known.
        """
        if self.lease is not None:
            await self.lease.check()


async def incident_where_it_belongs(incident_id: str, environment: str) -> OpenIncident:
    """A handle on an incident with its own environment; `environment` is where its journal is looked for.

    People who name an incident in a form need not know which environment it belongs to.

    Raises:
        Refused: one of the two environments is not saved in Prefect.
        UnknownIncident: no incident has this id, or its own environment has another store.
        Unavailable: the store or Prefect cannot be reached.
    """
    asked = OpenIncident(id=incident_id, environment=await Environment.load(environment))
    known = await asked.environment.store.read(incident_id)
    if known.environment == asked.environment.name:
        return asked
    own = OpenIncident(id=incident_id, environment=await Environment.load(known.environment))
    await own.read()
    return own


def require_own(journal: Incident, environment: str) -> None:
    """Make sure that an incident is worked on with the policy and the systems that it was opened with.

    Raises:
        Refused: it belongs to another environment.
    """
    if journal.environment != environment:
        raise Refused(
            "incident store",
            f"{journal.id} belongs to environment {journal.environment!r}, not to {environment!r}",
            f"Give the environment {journal.environment!r}",
        )
