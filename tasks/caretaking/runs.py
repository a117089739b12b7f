"""The flow runs of incidents, in Prefect: started once, checked, and continued after they have stopped."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry
from prefect.utilities.urls import url_for

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from blocks.transport.prefect_api import prefect_client
from runbook.caretaking.runs import REVIVALS, Revival, Run, RunState, newest_run
from runbook.caretaking.watchdog import LATE
from runbook.incidents.events import IncidentReopened, RunContinued, RunStarted
from runbook.incidents.incident import Incident
from tasks.lease import duty

DEPLOYMENT = "respond/respond"

WAITS_FROM = timedelta(seconds=10)
"""A run that is due later than this waits: workers look for runs this long before they are due."""


class Ensured(NamedTuple):
    """The run that a response goes on by, in which state it was, and how it goes on."""

    flow_run_id: str
    was: RunState
    how: Revival


_STATES = {
    StateType.SCHEDULED: RunState.DUE,
    StateType.PENDING: RunState.RUNNING,
    StateType.RUNNING: RunState.RUNNING,
    StateType.PAUSED: RunState.ASLEEP,
    StateType.COMPLETED: RunState.COMPLETED,
    StateType.FAILED: RunState.BROKEN,
    StateType.CRASHED: RunState.BROKEN,
    StateType.CANCELLING: RunState.CANCELLED,
    StateType.CANCELLED: RunState.CANCELLED,
}


async def start_run(incident: Incident, *, store: IncidentStore, client: PrefectClient | None = None) -> str:
    """Start the response to an incident and journal it; return the flow run's id.

    The incident's id is the idempotency key, so a repeat finds the run of the first time; a run that takes
    the place of a stopped one has a key of its own.

    Raises:
        Refused: Prefect refused, or does not know the deployment.
        Unavailable: Prefect or the incident store cannot be reached.
    """
    if client is None:
        async with prefect_client() as own:
            return await start_run(incident, store=store, client=own)
    try:
        deployment = await client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound:
        advice = "Run `runbook configure FILE`"
        raise Refused("Prefect", f"there is no deployment {DEPLOYMENT}", advice) from None
    alert = incident.alert
    continued = len(incident.events(RunContinued)) + len(incident.events(IncidentReopened))
    run = await client.create_flow_run_from_deployment(
        deployment.id,
        name=incident.id,
        idempotency_key=f"{incident.id}-{continued}" if continued else incident.id,
        tags=[incident.id],
        parameters={
            "service": alert.service,
            "summary": alert.summary,
            "severity": alert.severity,
            "incident": incident.id,
            "environment": incident.environment,
        }
        | ({"dry_run": True} if incident.dry_run else {}),
    )
    started = RunStarted(flow_run_id=str(run.id), url=url_for(run) or "", dry_run=incident.dry_run)
    await store.append(incident.id, started, at=datetime.now(UTC), key=started.journal_key)
    return str(run.id)


async def ensure_run(
    incident: Incident, *, store: IncidentStore, client: PrefectClient, because: str, run: Run | None = None
) -> Ensured:
    """Have a run go on with an incident that nobody works on, by the rules of `runbook.caretaking.runs`.

    That it continues, and why, is journalled first; a process that still works on it is fenced off; a repeat
    is harmless. `run` is its newest run, where the caller has read that.

    Raises:
        Refused: Prefect refused.
        Unavailable: Prefect or the store cannot be reached.
    """
    run_id = newest_run(incident)
    if run_id is None:
        started = await start_run(incident, store=store, client=client)
        return Ensured(started, RunState.UNKNOWN_TO_PREFECT, Revival.START)
    run = run or await read_run(client, run_id)
    how = REVIVALS[run.state]
    if how is Revival.BY_ITSELF:
        return Ensured(run_id, run.state, how)
    at = datetime.now(UTC)
    await store.append(incident.id, RunContinued(flow_run_id=run_id, because=because), at=at)
    await store.take_lease(duty(incident.id), incident.id, at=at, until=at)
    if how is Revival.START:
        run_id = await start_run(await store.read(incident.id), store=store, client=client)
    else:
        await continue_run(client, run_id)
    return Ensured(run_id, run.state, how)


async def wake_run(incident: Incident, run: Run, *, store: IncidentStore, client: PrefectClient) -> None:
    """Have a run that waits go on now, because it is time to look, or somebody has ended the incident.

    It has not stopped, so that this is no continuation; nobody works on it, and whoever does by then is
    fenced off.

    Raises:
        Refused: Prefect refused.
        Unavailable: Prefect or the store cannot be reached.
    """
    at = datetime.now(UTC)
    await store.take_lease(duty(incident.id), incident.id, at=at, until=at)
    await continue_run(client, run.id)


async def read_run(client: PrefectClient, flow_run_id: str) -> Run:
    """A run as Prefect has it now.

    Raises:
        Refused: Prefect refused.
        Unavailable: Prefect cannot be reached.
    """
    try:
        run = await client.read_flow_run(UUID(flow_run_id))
    except ObjectNotFound:
        return Run(id=flow_run_id, state=RunState.UNKNOWN_TO_PREFECT, since=datetime.fromtimestamp(0, UTC))
    if run.state is None:
        return Run(id=flow_run_id, state=RunState.DUE, since=run.created or datetime.now(UTC))
    state = _STATES[run.state.type]
    if state is RunState.ASLEEP and not await _has(client, run.id, run.state, "schema"):
        state = RunState.ASLEEP_WITHOUT_FORM
    elif state is RunState.ASLEEP and await _has(client, run.id, run.state, "response"):
        state = RunState.ASLEEP_WITH_ANSWER
    if state is not RunState.DUE:
        return Run(id=flow_run_id, state=state, since=run.state.timestamp)
    due = run.state.state_details.scheduled_time or run.next_scheduled_start_time or run.state.timestamp
    if due > datetime.now(UTC) + WAITS_FROM:
        return Run(id=flow_run_id, state=RunState.WAITING, since=due)
    if await _is_served(client, run.work_pool_name):
        state = RunState.QUEUED
    return Run(id=flow_run_id, state=state, since=max(due, run.state.timestamp))


async def _is_served(client: PrefectClient, work_pool: str | None) -> bool:
    """Whether a worker has taken up a run of that pool lately. One that only says that it lives may hang."""
    # Prefect takes the time at which a run is due for its start, unless the start has to be there.
    lately = {"start_time": {"after_": datetime.now(UTC) - LATE, "is_null_": False}}
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate(lately),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[work_pool or ""])),
        limit=1,
    )
    return bool(found)


async def _has(client: PrefectClient, flow_run_id: UUID, state: State, part: str) -> bool:
    """Whether there is the `schema` of the form that a sleeping run waits for, or a `response` to it."""
    keyset = state.state_details.run_input_keyset
    if not keyset:
        return False
    found = await client.filter_flow_run_input(
        flow_run_id=flow_run_id, key_prefix=str(keyset[part]), limit=1, exclude_keys=set()
    )
    return bool(found)


async def continue_run(client: PrefectClient, flow_run_id: str) -> None:
    """Have a worker take up a run again, from the top, whatever state it is in.

    Forced, since Prefect's rules would have a paused run resumed by its form, which may be what is missing.

    Raises:
        Refused: Prefect refused.
        Unavailable: Prefect cannot be reached.
    """
    await client.set_flow_run_state(UUID(flow_run_id), AwaitingRetry(), force=True)


async def interrupted_by_hand(client: PrefectClient, environment: str, *, since: datetime) -> list[Run]:
    """The runs that people have started since then in an environment, and that were interrupted or still run.

    The receiver's runs name their incident; one that was started by hand opens its own, later.

    Raises:
        Refused: Prefect refused.
        Unavailable: Prefect cannot be reached.
    """
    states = FlowRunFilterState(
        type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING, StateType.CRASHED])
    )
    started = FlowRunFilterExpectedStartTime.model_validate({"after_": since})
    found = await client.read_flow_runs(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[DEPLOYMENT.partition("/")[2]])),
        flow_run_filter=FlowRunFilter(state=states, expected_start_time=started),
    )
    return [
        Run(id=str(run.id), state=_STATES[run.state.type], since=run.state.timestamp, starts=run.run_count)
        for run in found
        if run.state is not None
        and not run.parameters.get("incident")
        and run.parameters.get("environment") == environment
    ]
