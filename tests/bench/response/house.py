"""The whole runbook in a world whose checks are as slow as real ones: what the measurements are made in."""

import sys
from asyncio import Event
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_UI_URL,
    temporary_settings,
)

from deployments.drill.cluster.faults import Fault
from deployments.prefect.server import PrefectServer
from deployments.processes.process import Process
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

STATUS_PAGE_SECONDS, HEALTH_SECONDS, LOGS_SECONDS = 0.3, 0.2, 0.5
"""How long the status page, the health endpoint and the log of a container take to answer."""

SCENARIO = "posthog-outage"


@asynccontextmanager
async def running_engine(folder: Path, *, stock_worker: bool = False) -> AsyncIterator[Engine]:
    """A Prefect server with a worker; with a `stock_worker`, Prefect's own."""
    server = await PrefectServer.start(folder)
    environment = server.client_environment(folder)
    command = (
        [
            str(Path(sys.executable).parent / "prefect"),
            "worker",
            "start",
            "--pool",
            "runbook",
            "--type",
            "process",
        ]
        if stock_worker
        else [sys.executable, "-m", "deployments.worker", "--pool", "runbook"]
    )
    try:
        await server.ready()
        worker = await Process.start(
            "The worker", command, log=folder / "worker.log", environment=environment
        )
        ours = {
            PREFECT_API_URL: server.api_url,
            PREFECT_API_AUTH_STRING: server.access.password,
            PREFECT_UI_URL: server.ui_url,
        }
        try:
            with temporary_settings(ours, restore_defaults={PREFECT_API_KEY}):
                yield Engine(server, worker, environment, Event())
        finally:
            await worker.stop()
    finally:
        await server.process.stop()


@asynccontextmanager
async def house(engine: Engine, folder: Path) -> AsyncIterator[Case]:
    """A world in trouble whose checks are slow, with a receiver of its own."""
    folder.mkdir()  # noqa: ASYNC240  nothing else runs yet
    policy = {"takeover_after_seconds": 30}
    async with case(engine, SCENARIO, folder, real_prometheus=False, policy=policy) as one:
        slow = {
            "status_page": {"latency_seconds": STATUS_PAGE_SECONDS},
            "integration": {"latency_seconds": HEALTH_SECONDS},
        }
        await one.world.change(slow, who="bench", what="answers slowly")
        one.world.systems.cluster.faults.append(
            Fault(path=r"/pods/[^/]+/log$", times=None, delay_before=LOGS_SECONDS)
        )
        yield one
