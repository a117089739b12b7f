"""Have an incident's run notice what a person has done: that it is over, or that it goes on again."""

from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient

from blocks.store.journal import IncidentStore
from runbook.approvals.acts import ActKind
from runbook.caretaking.runs import RunState, newest_run
from tasks.caretaking.runs import ensure_run, read_run
from tasks.lease import duty

NOTICED_BY_THE_RUN = (ActKind.RESOLVE, ActKind.MERGE, ActKind.REOPEN)
"""The acts after which a run has to go on, or another one has to begin."""


async def go_on_after(incident_id: str, *, by: str, store: IncidentStore, client: PrefectClient) -> None:
    """Wake the run of an incident that a person has ended, or start one where it was reopened.

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
    because = f"{by} has ended the incident" if incident.resolved else f"{by} has reopened the incident"
    await ensure_run(incident, store=store, client=client, because=because, run=run)
