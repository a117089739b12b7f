"""Answering a gate: the answer goes into the journal first, then the suspended run is woken.

The journal is the truth. A run that was not woken, for whatever reason, finds the answer there when it is;
so asking for the same again only wakes it.
"""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from deployments.cli.errors import CommandError, ExitCode
from runbook.approvals import acceptable
from runbook.events import ApprovalAnswered, ApprovalRequested
from runbook.gates import Answer, InvalidAnswer
from runbook.incident import Incident, PendingGate
from runbook.policy import Policy
from runbook.value import Value
from runbook.wording import ANSWERED

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import State

    from blocks.store import IncidentStore

WAKING_SECONDS = 10.0
"""How long a resume is tried: a gate is journalled a moment before its run sleeps and its form is saved."""

WAKING_POLL_SECONDS = 0.25


class Runs(Protocol):
    """The flow runs that wait at gates."""

    async def asleep(self, flow_run_id: UUID) -> bool:
        """Whether the run is suspended now."""

    async def wake(self, flow_run_id: UUID, form: dict[str, str]) -> None:
        """Resume the run with the gate's form filled in. Raises `CommandError` if it will not wake."""


class Answered(Value):
    """What became of an answer: the one that stands, and whether it is ours."""

    incident: str
    gate: str
    action: str
    answer: Answer
    at: datetime
    ours: bool


async def answer_gate(
    store: "IncidentStore", incident: Incident, answer: Answer, *, policy: Policy, runs: Runs
) -> Answered:
    """Answer the open gate of an incident and wake its run.

    Where someone answered first, theirs stands and nothing is written.

    Raises:
        CommandError: no gate is open, the answer cannot be accepted, or the run cannot be woken.
        Unavailable: the store or Prefect cannot be reached.
    """
    gate = incident.pending_gate
    if gate is None:
        return await _wake_again(incident, runs=runs)
    accepted = _checked(answer, incident, gate, policy)
    await runs.asleep(UUID(gate.flow_run_id))  # an answer that cannot wake its run is not taken
    event = ApprovalAnswered(
        gate=gate.gate, action_id=gate.action_id, plan_digest=gate.plan_digest, answer=accepted
    )
    recorded = await store.append(incident.id, event, at=datetime.now(UTC), key=f"answer:{gate.gate}")
    standing = recorded.event
    if not isinstance(standing, ApprovalAnswered):
        raise TypeError(f"{gate.gate} is answered with {standing.type}")
    await runs.wake(UUID(gate.flow_run_id), form(gate, standing.answer))
    return Answered(
        incident=incident.id,
        gate=gate.gate,
        action=gate.action_id,
        answer=standing.answer,
        at=recorded.at,
        ours=standing.answer == accepted,
    )


def _checked(answer: Answer, incident: Incident, gate: PendingGate, policy: Policy) -> Answer:
    plan = incident.previews.get(gate.action_id)
    see = f"see `runbook incident {incident.id}`"
    if plan is None or not plan.known_as(gate.plan_digest):
        raise CommandError("the plan that is asked about is being made anew", see, code=ExitCode.NOTHING)
    try:
        return acceptable(answer, incident, plan, policy)
    except InvalidAnswer as error:
        raise CommandError(str(error), see, code=ExitCode.USAGE) from None


def form(asked: PendingGate | ApprovalRequested, answer: Answer) -> dict[str, str]:
    """The answer as the fields of the gate's form in Prefect; one of an earlier release takes no plan."""
    return {
        "gate": asked.gate,
        **({"plan": asked.plan_digest} if asked.bound else {}),
        "decision": answer.choice.value,
        "approver": answer.approver,
        "reason": answer.reason,
        **answer.parameters,
    }


async def _wake_again(incident: Incident, *, runs: Runs) -> Answered:
    """An answer may stand while its run sleeps on: the one who gave it was interrupted before the waking."""
    newest = incident.last(ApprovalRequested)
    recorded = next(
        (
            item
            for item in reversed(incident.journal)
            if newest and isinstance(item.event, ApprovalAnswered) and item.event.gate == newest.gate
        ),
        None,
    )
    if newest is None or recorded is None or not isinstance(recorded.event, ApprovalAnswered):
        raise _nothing_to_answer(incident, "asks nothing now")
    answer = recorded.event.answer
    run = UUID(newest.flow_run_id)
    if incident.resolved or not await runs.asleep(run):
        said = f"{answer.approver} {ANSWERED[answer.choice]} {newest.action_id} at {recorded.at:%H:%M:%S} UTC"
        raise _nothing_to_answer(incident, f"asks nothing now: {said}")
    await runs.wake(run, form(newest, answer))
    return Answered(
        incident=incident.id,
        gate=newest.gate,
        action=newest.action_id,
        answer=answer,
        at=recorded.at,
        ours=False,
    )


def _nothing_to_answer(incident: Incident, why: str) -> CommandError:
    return CommandError(
        f"{incident.id} {why}", f"see `runbook incident {incident.id}`", code=ExitCode.NOTHING
    )


class PrefectRuns:
    """Runs in Prefect, reached by its client."""

    def __init__(self, client: "PrefectClient") -> None:
        self._client = client

    async def asleep(self, flow_run_id: UUID) -> bool:
        """Whether the run is suspended now."""
        state = await self._state(flow_run_id)
        return state is not None and state.is_paused()

    async def wake(self, flow_run_id: UUID, form: dict[str, str]) -> None:
        """Resume the run; Prefect answers 200 also when it refuses, so its words are read.

        Raises:
            CommandError: the run has ended, or still sleeps after `WAKING_SECONDS`.
        """
        from prefect.client.schemas.responses import SetStateStatus
        from prefect.exceptions import PrefectHTTPStatusError

        clock = asyncio.get_running_loop().time
        deadline = clock() + WAKING_SECONDS
        while True:
            try:
                result = await self._client.resume_flow_run(flow_run_id, run_input=form)
            except PrefectHTTPStatusError as error:
                if error.response.status_code != HTTPStatus.CONFLICT:
                    raise
                await self._wake_without_form(flow_run_id)
                return
            if result.status is SetStateStatus.ACCEPT:
                return
            state = await self._state(flow_run_id)
            if state is not None and (state.is_scheduled() or state.is_pending()):
                return  # someone else woke it, or it is about to start again: it reads the journal
            if state is not None and state.is_final():
                raise CommandError(
                    f"the answer is recorded, but run {flow_run_id} has ended ({state.name})",
                    "retry it in Prefect; it finds the answer",
                )
            if clock() >= deadline:
                break
            await asyncio.sleep(WAKING_POLL_SECONDS)
        if state is not None and state.is_paused():
            reason = getattr(result.details, "reason", None) or result.status.value
            raise CommandError(
                f"the answer is recorded, but run {flow_run_id} does not wake: {reason}",
                "give the same command again, or resume the run in Prefect",
            )

    async def _wake_without_form(self, flow_run_id: UUID) -> None:
        """For a form that Prefect has already: another's, or one that was planted, which wakes nobody."""
        from tasks.runs import continue_run

        if await self.asleep(flow_run_id):
            await continue_run(self._client, str(flow_run_id))  # it finds the answer in the journal

    async def _state(self, flow_run_id: UUID) -> "State | None":
        return (await self._client.read_flow_run(flow_run_id)).state
