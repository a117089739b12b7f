"""A worker for tests: on the real Prefect server, with a pool and a flow of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
)
from prefect.client.schemas.objects import State
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.flows import load_flow_from_entrypoint
from prefect.workers.process import ProcessWorker

from deployments.prefect.server import PrefectServer
from deployments.processes.process import Process

FLOWS = Path(__file__).parent / "flows_for_worker"
WITHIN_SECONDS = 90.0


MUTE = ["its output cannot be written"]
"""In the place of options of the worker."""

TAKEN = ["another user was first"]
"""The same: what Prefect's runner has in the temporary folder of all users is another's."""


class Bench:
    """A worker of its own pool, and a flow for it to run."""

    def __init__(self, client: PrefectClient, worker: Process, deployment: UUID, folder: Path) -> None:
        self.client = client
        self.worker = worker
        self.folder = folder
        self._deployment = deployment

    async def start_run(self, seconds: float = 0, **job_variables: Any) -> UUID:
        """Create a flow run that works so long."""
        parameters = {"folder": str(self.folder), "seconds": seconds}
        run = await self.client.create_flow_run_from_deployment(
            self._deployment, parameters=parameters, job_variables=job_variables or None
        )
        return run.id

    def seen(self) -> dict[str, Any]:
        """The folder and the environment that the last run had."""
        seen: dict[str, Any] = json.loads((self.folder / "seen.json").read_text())
        return seen

    def told(self, about: UUID) -> list[str]:
        """The worker's own lines about a run, but for Prefect's."""
        lines = self.worker.log.read_text().splitlines()
        return [line for line in lines if str(about) in line and ("refused" in line or "ignored" in line)]

    async def run_every(self, seconds: float) -> None:
        """Put the deployment on a schedule."""
        schedule = DeploymentScheduleCreate(
            schedule=IntervalSchedule(interval=timedelta(seconds=seconds)),
            parameters={"folder": str(self.folder)},
        )
        await self.client.create_deployment_schedules(self._deployment, [schedule])

    async def overdue(self, number: int) -> list[UUID]:
        """The runs that nobody has started although it is time, in order, once there are so many."""
        mine = DeploymentFilter(id=DeploymentFilterId(any_=[self._deployment]))
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                due = {"next_scheduled_start_time": {"before_": datetime.now(UTC)}}
                found = await self.client.read_flow_runs(
                    deployment_filter=mine,
                    flow_run_filter=FlowRunFilter.model_validate(due),
                    sort=FlowRunSort.EXPECTED_START_TIME_ASC,
                )
                if len(found) >= number:
                    return [run.id for run in found]
                await asyncio.sleep(0.2)

    async def change_deployment(self, **changes: Any) -> None:
        """Change the deployment, as whoever may write into Prefect can."""
        await self.client.update_deployment(self._deployment, DeploymentUpdate(**changes))

    async def remove_deployment(self) -> None:
        """Take the deployment away with its schedule, which would go on for as long as the server does."""
        await self.client.delete_deployment(self._deployment)

    async def engine(self) -> int:
        """The process id of the run, once it runs."""
        return (await self._pids())[0]

    async def engines_parent(self) -> int:
        """The process that the run was forked from."""
        return (await self._pids())[1]

    async def _pids(self) -> list[int]:
        pid = self.folder / "pid"
        async with asyncio.timeout(WITHIN_SECONDS):
            while not pid.exists() or not pid.read_text():  # noqa: ASYNC110  another process writes it
                await asyncio.sleep(0.02)
        return [int(part) for part in pid.read_text().split()]

    async def ends(self, run: UUID) -> State[Any]:
        """The state in which a run ends."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                state = (await self.client.read_flow_run(run)).state
                if state is not None and state.is_final():
                    return state
                await asyncio.sleep(0.05)

    async def is_gone(self, pid: int) -> bool:
        """Whether a process ends in time; one that its parent has not asked about yet has ended, too."""
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                while _is_alive(pid):  # noqa: ASYNC110  the kernel sets no event for us
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


@pytest.fixture
async def bench(
    request: pytest.FixtureRequest,
    prefect_api: PrefectServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bench]:
    """A worker that polls, with the options of the parameter, and a deployment of the probe.

    Its pool has the template of an earlier release, in which a run may choose its command.
    """
    monkeypatch.syspath_prepend(str(FLOWS))
    pool = f"pool-{uuid4().hex[:8]}"
    environment = prefect_api.client_environment(tmp_path) | {"PYTHONPATH": str(FLOWS)}
    command = [sys.executable, "-m", "deployments.worker", "--pool", pool, "--preload", "worker_probe"]
    options = getattr(request, "param", [])
    if options == MUTE:
        command = ["sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh", *command]
    elif options == TAKEN:
        (tmp_path / "runner_storage").touch()
        environment["TMPDIR"] = str(tmp_path)
    else:
        command += options
    async with get_client() as client:
        open_template = ProcessWorker.get_default_base_job_template()
        await client.create_work_pool(
            WorkPoolCreate(name=pool, type="process", base_job_template=open_template)
        )
        flow = await client.create_flow(load_flow_from_entrypoint("worker_probe.probe"))
        deployment = await client.create_deployment(
            flow, name=pool, entrypoint="worker_probe.probe", work_pool_name=pool, pull_steps=[]
        )
        worker = await Process.start(
            "The worker", command, log=tmp_path / "worker.log", environment=environment
        )
        try:
            yield Bench(client, worker, deployment, tmp_path)
        finally:
            await worker.stop()
