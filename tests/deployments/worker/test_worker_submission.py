"""Whatever becomes of a run while the worker takes it up, the worker goes on, and so do its other runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Suspended

from deployments.worker.warm_worker import WarmWorker

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]

WITHIN_SECONDS = 30.0


@flow
async def nothing() -> None:
    """Do nothing."""


async def due_run(client: PrefectClient) -> FlowRun:
    """A run that is due, of a pool of its own."""
    pool = f"pool-{uuid4().hex[:8]}"
    await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    deployment = await client.create_deployment(
        await client.create_flow(nothing), name=pool, entrypoint="flows.triage.triage", work_pool_name=pool
    )
    return await client.create_flow_run_from_deployment(deployment)


class Meddled(WarmWorker):
    """A worker whose run meets something at a moment of its taking up."""

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "meddled"

    def meddle(self, moment: str, meet: Callable[[FlowRun], Awaitable[None]]) -> None:
        """Have a run meet this just before a method of Prefect's worker."""
        method = getattr(self, moment)

        async def met(flow_run: FlowRun) -> Any:
            await meet(flow_run)
            return await method(flow_run)

        setattr(self, moment, met)

    async def take_up(self) -> None:
        """Poll once, and wait until nothing is being taken up any more."""
        assert await self.get_and_submit_flow_runs()
        async with asyncio.timeout(WITHIN_SECONDS):
            while self._submitting_flow_run_ids:  # noqa: ASYNC110  Prefect's worker sets no event
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("moment", ["_propose_pending_state", "_propose_submitting_state"])
async def test_a_run_that_falls_asleep_as_it_is_taken_up_stays_asleep(moment: str) -> None:
    """Its former process was only slow, and came to its question after all."""
    async with get_client() as client:
        run = await due_run(client)

        async def fall_asleep(known: FlowRun) -> None:
            await client.set_flow_run_state(known.id, Suspended(), force=True)

        worker = Meddled(work_pool_name=run.work_pool_name)
        async with worker:
            worker.meddle(moment, fall_asleep)
            await worker.take_up()
        state = (await client.read_flow_run(run.id)).state
        assert state is not None
        assert state.is_paused()


async def test_a_server_that_fails_as_a_run_is_taken_up_ends_no_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run is taken up at the next look."""

    async def fail(_: UUID) -> DeploymentResponse:
        raise httpx.ReadTimeout("no answer")

    async with get_client() as client:
        run = await due_run(client)
        worker = Meddled(work_pool_name=run.work_pool_name)
        async with worker:
            with monkeypatch.context() as patched:
                patched.setattr(worker.client, "read_deployment", fail)
                await worker.take_up()
            assert [known.id for known in await worker.get_and_submit_flow_runs()] == [run.id]
