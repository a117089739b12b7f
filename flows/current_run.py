"""The flow run that this process works for, and whether it still does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Abort, ObjectNotFound
from prefect.states import AwaitingRetry

from blocks.store.lease import LeaseLost
from blocks.transport.errors import OutsideError
from blocks.transport.prefect_api import prefect_client
from tasks.incident import OpenIncident
from tasks.lease import on_duty

PATIENCE_SECONDS = 10.0
"""How long a process that has met an error waits for Prefect to say whether its run is still its own."""


def flow_run_id() -> UUID:
    """The id of the flow run.

    Raises:
        RuntimeError: there is no flow run; a response suspends and resumes, so it needs a deployment's run.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("respond works on behalf of a flow run: start it through its deployment")
    return context.flow_run.id


@asynccontextmanager
async def sole_process(incident: OpenIncident) -> AsyncIterator[OpenIncident]:
    """This process alone works on the incident; yields the handle that makes sure of that at each effect.

    Raises:
        prefect.exceptions.Abort: another process has taken over. Prefect then leaves the state of the run
            alone, which is that one's; and so does everything else here.
    """
    try:
        async with on_duty(incident) as ours:
            try:
                yield ours
            except Exception:
                await _require_ours(ours)
                raise
    except LeaseLost as lost:
        raise Abort(str(lost)) from None


async def sleep_until(at: datetime) -> NoReturn:
    """End this process, and have a worker start the run again at that time (aware UTC), from the top.

    Where Prefect does not take it, the watchdog finds a run without a process, and continues it.

    Raises:
        prefect.exceptions.Abort: always; Prefect then leaves the state of the run as it was set here.
    """
    async with prefect_client() as client:
        state: State[Any] = AwaitingRetry(scheduled_time=at, message="Waiting for a person")
        await client.set_flow_run_state(flow_run_id(), state, force=True)
    raise Abort(f"waiting for a person; the next look is at {at:%H:%M:%S} UTC")


async def _require_ours(incident: OpenIncident) -> None:
    """An error may come of the takeover itself: Prefect lets no run suspend that waits for its next process.

    A process that was given up before it had taken its lease holds one; then Prefect knows better.

    Raises:
        LeaseLost: another process has taken over, or is about to.
    """
    if incident.lease is None:
        return
    with suppress(OutsideError, TimeoutError, ObjectNotFound):
        await incident.lease.check()
        async with asyncio.timeout(PATIENCE_SECONDS), prefect_client() as client:
            state = (await client.read_flow_run(flow_run_id())).state
        if state is not None and (state.is_scheduled() or state.is_pending()):
            raise incident.lease.lost()
