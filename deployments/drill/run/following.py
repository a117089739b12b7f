"""Following an incident in a drill: every new event is shown, every gate answered, until it is closed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from blocks.transport.errors import Refused, Unavailable
from deployments.drill.run.scenario import Scenario
from deployments.drill.run.screen import Screen
from deployments.drill.run.team import Kubectl, Team
from deployments.services.answering import answer_gate
from deployments.services.runs import Runs
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.incidents.events import RunStarted
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore

POLL_SECONDS = 0.2
RUN_CHECK_SECONDS = 2.0
LIMIT_SECONDS = 240.0
"""After this time a drill is stuck. The time in which a person is asked does not count."""

Approve = Literal["ask", "auto", "reject", "slack"]

AUTOMATIC: dict[Approve, Answer] = {
    "auto": Answer(choice=Choice.APPROVE, approver="drill", reason="approved by the drill", channel="drill"),
    "reject": Answer(choice=Choice.REJECT, approver="drill", reason="rejected by the drill", channel="drill"),
    "slack": Answer(choice=Choice.APPROVE, approver="drill", channel="slack"),
}
"""What the drill says where no person is asked."""

Click = Callable[[Incident, PendingGate, Answer], Awaitable[None]]
"""Answers a question where people are."""

RunEnded = Callable[[UUID], Awaitable[str | None]]
"""How a flow run ended (`Failed`, `Cancelled`), `None` while it goes on: one that crashed is continued."""


class Follower:
    """Follows one incident, with the people of its scenario. `ask` puts a question to the terminal.

    `click` answers in Slack.
    """

    def __init__(
        self,
        store: "IncidentStore",
        screen: Screen,
        *,
        approve: Approve,
        policy: Policy,
        runs: Runs,
        run_ended: RunEnded,
        scenario: Scenario | None = None,
        kubectl: Kubectl | None = None,
        click: Click | None = None,
    ) -> None:
        self._click = click
        self._answers_after = scenario.answers_after_seconds if scenario else 0.0
        self._first_answer = scenario.first_answer if scenario else None
        self._hesitating = False
        people, commands = (scenario.people, scenario.commands) if scenario else ((), ())
        self._team = Team(store, people, commands, policy=policy, kubectl=kubectl)
        self._policy = policy
        self._store = store
        self._screen = screen
        self._approve = approve
        self._runs = runs
        self._run_ended = run_ended
        self._answering: tuple[PendingGate, asyncio.Task[None]] | None = None

    async def follow(self, incident_id: str) -> Incident:
        """Return the incident once it is closed.

        Raises:
            Unavailable: its run ended before that, or it took too long.
        """
        clock = asyncio.get_running_loop().time
        shown, started, next_look = 0, clock(), clock() + RUN_CHECK_SECONDS
        try:
            while True:
                incident = await self._store.read(incident_id)
                await self._end_answered_gate(incident)
                for recorded in incident.journal[shown:]:
                    self._screen.show(recorded)
                shown = len(incident.journal)
                if incident.closed:
                    return incident
                await self._team.act(incident)
                self._begin_open_gate(incident)
                if self._screen.asking:
                    started = clock()
                if clock() - started > LIMIT_SECONDS:
                    raise Unavailable(
                        "drill", f"{incident_id} is not over after {LIMIT_SECONDS:.0f} s", "See its logs"
                    )
                if clock() >= next_look:
                    await self._check_run(incident)
                    next_look = clock() + RUN_CHECK_SECONDS
                await asyncio.sleep(POLL_SECONDS)
        finally:
            if self._answering:
                self._answering[1].cancel()

    async def _end_answered_gate(self, incident: Incident) -> None:
        """Let go of a gate that is answered; stop asking where someone else has answered it."""
        if self._answering is None:
            return
        asked, task = self._answering
        if task.done():
            await task  # an answer that failed ends the drill
        open_gate = incident.pending_gate
        if open_gate is not None and open_gate.gate == asked.gate:
            return
        if self._screen.asking:
            task.cancel()
            self._screen.answered_elsewhere()
        elif self._hesitating:
            task.cancel()
        elif not task.done():
            return  # our answer is written, and its run is being woken
        self._answering = None

    def _begin_open_gate(self, incident: Incident) -> None:
        gate = incident.pending_gate
        if gate is not None and self._answering is None:
            self._hesitating = False
            self._answering = gate, asyncio.create_task(self._answer(incident, gate))

    async def _answer(self, incident: Incident, gate: PendingGate) -> None:
        answer = self._automatic()
        if answer is None:
            try:
                answer = await self._screen.ask(incident.id, gate, incident.previews.get(gate.action_id))
            except EOFError:
                detail = "the input ended before there was an answer"
                raise Refused("drill", detail, "Answer at the terminal, or use --approve auto") from None
        elif self._answers_after:
            self._hesitating = True
            wait, self._answers_after = self._answers_after, 0  # they know the next one
            await asyncio.sleep(wait)
            self._hesitating = False
        if self._approve == "slack" and self._click is not None:
            await self._click(incident, gate, answer)
            return
        await answer_gate(self._store, incident, answer, policy=self._policy, runs=self._runs)

    def _automatic(self) -> Answer | None:
        """The automatic answer. The scenario's own rejection comes before the first yes."""
        first, self._first_answer = self._first_answer, None
        return first.answer if first and self._approve in ("auto", "slack") else AUTOMATIC.get(self._approve)

    async def _check_run(self, incident: Incident) -> None:
        """Fail if the run has ended and its incident is open, because it will not be closed."""
        started = incident.last(RunStarted)
        if started is None:
            return
        ended = await self._run_ended(UUID(started.flow_run_id))
        if ended is not None and not (await self._store.read(incident.id)).closed:
            raise Unavailable(
                "drill", f"the flow run of {incident.id} ended as {ended}", f"See its logs: {started.url}"
            )
