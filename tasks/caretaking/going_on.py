"""Have an incident's run notice what a person has done: that it is over, or that it goes on again."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient

from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError
from runbook.approvals.acts import ActKind
from runbook.caretaking.runs import RunState, newest_run
from tasks.caretaking.runs import ensure_run, read_run
from tasks.lease import duty

NOTICED_BY_THE_RUN = (ActKind.RESOLVE, ActKind.MERGE, ActKind.REOPEN)
"""The acts after which a run has to go on, or another one has to begin."""


PREFECT_SECONDS = 15.0
"""How long Prefect may take: its client could go on for an hour, and the watchdog does it later anyway."""


async def go_on_in_time(
    incident_id: str,
    *,
    by: str,
    store: IncidentStore,
    prefect: Callable[[], AbstractAsyncContextManager[PrefectClient]],
    because: str = "",
) -> str:
    """Have the run notice it, if Prefect answers soon; else why it does not go on yet, in words."""
    try:
        async with asyncio.timeout(PREFECT_SECONDS), prefect() as client:
            await go_on_after(incident_id, by=by, store=store, client=client, because=because)
    except OutsideError as error:
        return f"{error.system}: {error.detail}"
    except TimeoutError:
        return "Prefect: no answer in time"
    return ""


async def go_on_after(
    incident_id: str, *, by: str, store: IncidentStore, client: PrefectClient, because: str = ""
) -> None:
    """Wake the run of an incident that a person has ended, or start one where it was reopened.

    `because` says why it goes on, if for another reason.

    A process that is at work notices by itself, before it begins anything else. The watchdog does the same
    where this is cut short.

    Raises:
        Refused: Prefect refused.
        Unavailable: Prefect or the store cannot be reached.
    """
    incident = await store.read(incident_id)
    if incident.closed:
        return
    run_id = newest_run(incident)
    run = await read_run(client, run_id) if run_id else None
    if run is not None and run.state is RunState.RUNNING:
        held = await store.lease_end(duty(incident.id))
        if held is not None and not held.let_go and held.at > datetime.now(UTC):
            return
    usual = f"{by} has ended the incident" if incident.resolved else f"{by} has reopened the incident"
    await ensure_run(incident, store=store, client=client, because=because or usual, run=run)
