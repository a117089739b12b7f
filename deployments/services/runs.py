"""The flow runs that wait at gates, and how they are woken."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from deployments.services.refusals import ActRefused, Refusal

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import State

WAKING_SECONDS = 10.0
"""How long a resume is tried: a gate is journalled a moment before its run sleeps and its form is saved."""

WAKING_POLL_SECONDS = 0.25


class Runs(Protocol):
    """The flow runs that wait at gates."""

    async def asleep(self, flow_run_id: UUID) -> bool:
        """Whether the run is suspended now."""

    async def wake(self, flow_run_id: UUID, form: dict[str, str]) -> None:
        """Resume the run with the gate's form filled in. Raises `ActRefused` if it will not wake."""


class PrefectRuns:
    """Runs in Prefect, reached by its client."""

    def __init__(self, client: "PrefectClient") -> None:
        self._client = client

    async def asleep(self, flow_run_id: UUID) -> bool:
        """Whether the run is suspended now."""
        state = await self._state(flow_run_id)
        return state is not None and state.is_paused()

    async def how_it_ended(self, flow_run_id: UUID) -> str | None:
        """How the run ended (`Failed`, `Cancelled`), `None` while it goes on: a crashed one is continued."""
        state = await self._state(flow_run_id)
        ended = state is not None and state.is_final() and not state.is_crashed()
        return state.name if state is not None and ended else None

    async def wake(self, flow_run_id: UUID, form: dict[str, str]) -> None:
        """Resume the run; Prefect answers 200 also when it refuses, so its words are read.

        A run that was looking again, and asks something else by now, has found the answer in the journal.

        Raises:
            ActRefused: the run has ended, or still sleeps after `WAKING_SECONDS`.
        """
        from prefect.client.schemas.responses import SetStateStatus
        from prefect.exceptions import PrefectHTTPStatusError

        clock = asyncio.get_running_loop().time
        deadline = clock() + WAKING_SECONDS
        while True:
            if _asks_something_else(await self._state(flow_run_id), form["gate"]):
                return
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
                raise ActRefused(
                    Refusal.FAILED,
                    f"the answer is recorded, but run {flow_run_id} has ended ({state.name})",
                    "retry it in Prefect; it finds the answer",
                )
            if clock() >= deadline:
                break
            await asyncio.sleep(WAKING_POLL_SECONDS)
        if state is not None and state.is_paused():
            reason = getattr(result.details, "reason", None) or result.status.value
            raise ActRefused(
                Refusal.FAILED,
                f"the answer is recorded, but run {flow_run_id} could not be resumed: {reason}",
                "repeat the command, or resume the run in Prefect",
            )

    async def _wake_without_form(self, flow_run_id: UUID) -> None:
        """For a form that Prefect has already: another's, or one that was planted, which wakes nobody."""
        from tasks.caretaking.runs import continue_run

        if await self.asleep(flow_run_id):
            await continue_run(self._client, str(flow_run_id))  # it finds the answer in the journal

    async def _state(self, flow_run_id: UUID) -> "State | None":
        return (await self._client.read_flow_run(flow_run_id)).state


def _asks_something_else(state: "State | None", gate: str) -> bool:
    """Whether a run sleeps at another gate than that one: a name that nobody can guess is in its key."""
    if state is None or not state.is_paused() or not state.state_details.run_input_keyset:
        return False
    return gate not in state.state_details.run_input_keyset["response"]
