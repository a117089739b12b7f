"""The flow run that this process works for, and whether it still does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from prefect.context import FlowRunContext
from prefect.exceptions import Abort

from blocks.errors import Unavailable
from blocks.lease import LeaseLost
from tasks.incident import OpenIncident
from tasks.lease import on_duty


def flow_run_id() -> UUID:
    """The id of the flow run.

    Raises:
        RuntimeError: there is none; a response suspends and resumes, so it needs a deployment's run.
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
                await _still_ours(ours)
                raise
    except LeaseLost as lost:
        raise Abort(str(lost)) from None


async def _still_ours(incident: OpenIncident) -> None:
    """An error may come of the takeover itself: Prefect lets no run suspend that waits for its next process.

    Raises:
        LeaseLost: another process has taken over.
    """
    if incident.lease is not None:
        with suppress(Unavailable):
            await incident.lease.check()
