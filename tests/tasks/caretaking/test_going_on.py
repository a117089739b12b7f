"""The run of an incident that a person has ended or reopened goes on, on a real Prefect server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import State
from prefect.states import AwaitingRetry, Cancelled, Paused, Running

from runbook.caretaking.runs import RunState, newest_run
from runbook.incidents import events as e
from tasks.caretaking.going_on import go_on_after
from tasks.caretaking.runs import read_run, wake_run
from tasks.incident import OpenIncident, now
from tasks.lease import duty
from tests.tasks.environments import open_incident

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]

BY_ANA = e.IncidentResolved(outcome="not_ours", because=("theirs",), by="ana")
HOUR = timedelta(hours=1)
TAKEN_UP_NEXT = (RunState.DUE, RunState.QUEUED)
"""What a worker takes up next; which of them depends on what else was started on the server lately."""


@flow(name="respond")
async def stand_in() -> None:
    """Stand in for the response: no worker takes it up here."""


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """Prefect, which knows the deployment, in a pool that no worker serves."""
    async with get_client() as client:
        pool = f"pool-{uuid4().hex[:8]}"
        await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        known = await client.create_flow(stand_in)
        await client.create_deployment(
            known, name="respond", entrypoint="nowhere.py:stand_in", work_pool_name=pool
        )
        yield client


async def with_run(incident: OpenIncident, client: PrefectClient, state: State[None]) -> str:
    """The incident has a run in that state."""
    await go_on_after(incident.id, by="ana", store=incident.environment.store, client=client)
    run_id = newest_run(await incident.read())
    assert run_id is not None
    await client.set_flow_run_state(UUID(run_id), state, force=True)
    return run_id


async def go_on(incident: OpenIncident, client: PrefectClient, run_id: str) -> RunState:
    """How the run stands after a person has acted."""
    await go_on_after(incident.id, by="ana", store=incident.environment.store, client=client)
    return (await read_run(client, run_id)).state


@pytest.mark.parametrize(
    "state",
    [AwaitingRetry(scheduled_time=now() + HOUR), Paused(timeout_seconds=9999), Cancelled(), Running()],
    ids=lambda state: state.name,
)
async def test_a_run_that_does_not_see_the_end_by_itself_goes_on(
    state: State[None], tmp_path: Path, client: PrefectClient
) -> None:
    """At once, and the journal says why; asked again, it is on its way."""
    incident = await open_incident(tmp_path, name=f"inc-{uuid4().hex[:8]}")
    run_id = await with_run(incident, client, state)
    await incident.record(BY_ANA)
    for _ in range(2):
        assert await go_on(incident, client, run_id) in TAKEN_UP_NEXT
    [continued] = (await incident.read()).events(e.RunContinued)
    assert (continued.flow_run_id, continued.because) == (run_id, "ana has ended the incident")


async def test_a_process_at_work_is_left_to_notice(tmp_path: Path, client: PrefectClient) -> None:
    """It holds its lease, which stays its own."""
    incident = await open_incident(tmp_path, name=f"inc-{uuid4().hex[:8]}")
    run_id = await with_run(incident, client, Running())
    store, name = incident.environment.store, duty(incident.id)
    token, _ = await store.take_lease(name, incident.id, at=now(), until=now() + HOUR)
    await incident.record(BY_ANA)
    assert await go_on(incident, client, run_id) is RunState.RUNNING
    assert token is not None
    assert await store.renew_lease(name, token, until=now() + HOUR)


async def test_a_reopened_incident_gets_a_run_of_its_own(tmp_path: Path, client: PrefectClient) -> None:
    """The one before has ended; asked twice, there is one."""
    incident = await open_incident(tmp_path, name=f"inc-{uuid4().hex[:8]}")
    first = await with_run(incident, client, Running())
    await incident.record(BY_ANA)
    await incident.record(e.IncidentClosed(outcome="not_ours"))
    await go_on(incident, client, first)
    assert len((await incident.read()).events(e.RunStarted)) == 1, "nothing goes on where it is closed"
    await incident.record(e.IncidentReopened(because="again", by="ana"))
    for _ in range(2):
        await go_on(incident, client, first)
    second = newest_run(await incident.read())
    assert second not in (None, first)
    assert len((await incident.read()).events(e.RunStarted)) == 2


@pytest.mark.parametrize(
    ("state", "read_as"),
    [
        (AwaitingRetry(scheduled_time=datetime.now(UTC) + HOUR), RunState.WAITING),
        (Paused(timeout_seconds=9999), RunState.ASLEEP_WITHOUT_FORM),
    ],
    ids=lambda it: getattr(it, "name", str(it)),
)
async def test_a_run_that_waits_is_woken(
    state: State[None], read_as: RunState, tmp_path: Path, client: PrefectClient
) -> None:
    """It starts from the top now; it has not stopped, so nothing is journalled as a continuation."""
    incident = await open_incident(tmp_path, name=f"inc-{uuid4().hex[:8]}")
    run_id = await with_run(incident, client, state)
    run = await read_run(client, run_id)
    assert run.state is read_as
    if read_as is RunState.WAITING:
        assert run.since > now() + HOUR / 2
    await wake_run(await incident.read(), run, store=incident.environment.store, client=client)
    assert (await read_run(client, run_id)).state in TAKEN_UP_NEXT
    assert (await incident.read()).events(e.RunContinued) == []


async def test_a_run_that_is_due_in_a_moment_does_not_wait(tmp_path: Path, client: PrefectClient) -> None:
    """Workers take up runs some seconds before they are due."""
    incident = await open_incident(tmp_path, name=f"inc-{uuid4().hex[:8]}")
    soon: State[None] = AwaitingRetry(scheduled_time=now() + timedelta(seconds=5))
    run_id = await with_run(incident, client, soon)
    assert (await read_run(client, run_id)).state in TAKEN_UP_NEXT
