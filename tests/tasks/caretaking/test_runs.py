"""What the watchdog is told of a run in Prefect, by a real server."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.states import Running

from runbook.caretaking.runs import RunState
from tasks.caretaking.runs import read_run

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


@flow
async def nothing() -> None:
    """Do nothing."""


async def deployed(client: PrefectClient) -> UUID:
    """A deployment in a pool of its own that no worker serves."""
    pool = f"pool-{uuid4().hex[:8]}"
    await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    known = await client.create_flow(nothing)
    return await client.create_deployment(
        known, name=pool, entrypoint="nowhere.py:nothing", work_pool_name=pool
    )


async def test_a_run_that_waits_while_others_are_taken_up_is_queued(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where no run of its pool was taken up lately, it waits for a worker that is not there."""
    async with get_client() as client:
        ours, others = await deployed(client), await deployed(client)
        waiting = await client.create_flow_run_from_deployment(ours)
        elsewhere = await client.create_flow_run_from_deployment(others)
        await client.set_flow_run_state(elsewhere.id, Running())
        assert (await read_run(client, str(waiting.id))).state is RunState.DUE

        taken = await client.create_flow_run_from_deployment(ours)
        await client.set_flow_run_state(taken.id, Running())
        assert (await read_run(client, str(waiting.id))).state is RunState.QUEUED
        assert (await read_run(client, str(taken.id))).state is RunState.RUNNING

        monkeypatch.setattr("tasks.caretaking.runs.LATE", timedelta(0))
        assert (await read_run(client, str(waiting.id))).state is RunState.DUE
