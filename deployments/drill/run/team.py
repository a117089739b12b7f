"""The team in a drill: what a scenario's people do about the incident, as everybody does it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from blocks.transport.prefect_api import prefect_client
from deployments.drill.run.scenario import PersonAct, PersonCommand
from deployments.services.acting import act_on_incident
from deployments.services.speaker import Speaker
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.gates import Instead
from runbook.approvals.identity import Identity
from runbook.checks.again import is_paused
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore


ENDS_THE_DRILL = PersonAct(
    after="ResponsePaused",
    seconds=3,
    who="drill",
    act=Act(kind=ActKind.RESOLVE, outcome="not-ours", text="the drill is over: nobody cures its world"),
)
"""What the lead does in a scenario without people of its own, where the runbook waits for one."""


Kubectl = Callable[[Sequence[str]], Awaitable[None]]
"""Runs kubectl with these arguments against the world's cluster."""


class Team:
    """The people of a scenario. Each does their part once, when its time has come."""

    def __init__(
        self,
        store: "IncidentStore",
        people: Sequence[PersonAct],
        commands: Sequence[PersonCommand] = (),
        *,
        policy: Policy,
        kubectl: Kubectl | None = None,
    ) -> None:
        self._store = store
        self._waiting = list(people) or [ENDS_THE_DRILL]
        self._commands = list(commands)
        self._policy = policy
        self._kubectl = kubectl

    async def act(self, incident: Incident) -> None:
        """Do what is due.

        Raises:
            ActRefused: the incident does not take it, which ends the drill.
            Refused: a person needs kubectl, which is not installed.
            Unavailable: the store cannot be reached, or a command has failed.
        """
        for person in [person for person in self._waiting if _is_due(person, incident)]:
            self._waiting.remove(person)
            speaker = Speaker(name=person.who, identity=Identity(name=person.who))
            await act_on_incident(
                self._store,
                incident,
                person.act,
                speaker=speaker,
                policy=self._policy,
                prefect=prefect_client,
            )
        for command in [command for command in self._commands if _is_up(command, incident)]:
            self._commands.remove(command)
            if self._kubectl is not None:
                await self._kubectl(command.kubectl)


def _is_due(person: PersonAct, incident: Incident) -> bool:
    """Whether their time has come, while the runbook still waits for a person."""
    waits = is_paused(incident) if person.after == "ResponsePaused" else incident.pending_gate is not None
    if incident.resolved or not waits:
        return False
    happened = max(item.at for item in incident.journal if item.event.type == person.after)
    return datetime.now(UTC) - happened >= timedelta(seconds=person.seconds)


def _is_up(command: PersonCommand, incident: Incident) -> bool:
    """Whether somebody has said long enough ago that they do it by hand."""
    said = [
        item.at
        for item in incident.journal
        if isinstance(item.event, ApprovalAnswered) and item.event.answer.instead is Instead.BY_HAND
    ]
    return bool(said) and datetime.now(UTC) - said[-1] >= timedelta(seconds=command.seconds)
