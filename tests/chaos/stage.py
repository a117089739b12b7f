"""The processes that are killed: a Prefect server, a worker with crash points, each case's receiver."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path

from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_UI_URL,
    temporary_settings,
)

from deployments.drill.run.settings import trusted
from deployments.prefect.server import PrefectServer, until_answers
from deployments.processes.process import EndedEarly, Process
from tests.chaos.crash_points import FOLDER
from tests.engine.processes import children, engines
from tests.fixtures.cases import Case
from tests.fixtures.engine import Engine


class Blow(StrEnum):
    """What is done to whom, while a run stands at its point."""

    FLOW = "SIGKILL flow"
    WORKER = "SIGKILL worker and flow"
    TERMINATE = "SIGTERM worker"
    RECEIVER = "SIGKILL receiver"
    SERVER = "SIGKILL Prefect server"


class Stage:
    """A server and a worker that come back after they were killed, as under a supervisor."""

    def __init__(self, server: PrefectServer, folder: Path) -> None:
        self.folder = folder
        environment = server.client_environment(folder) | trusted(self.authorities)
        self.engine = Engine(server, server.process, environment, asyncio.Event())

    @property
    def authorities(self) -> Path:
        """Whom the processes trust in Teams' place: each case has an authority of its own."""
        return self.folder / "authorities.pem"

    @property
    def orders(self) -> Path:
        """The folder of the crash points' orders."""
        return self.folder / "crash-points"

    async def start_worker(self) -> None:
        """Start a worker whose runs know the crash points."""
        environment = dict(self.engine.environment) | {FOLDER: str(self.orders)}
        command = [sys.executable, "-m", "deployments.worker", "--pool", "runbook"]
        worker = await Process.start(
            "The worker",
            [*command, "--preload", "tests.chaos.crash_points"],
            log=self.folder / "worker.log",
            environment=environment,
        )
        self.engine = Engine(self.engine.server, worker, self.engine.environment, self.engine.deployed)

    async def strike(self, blow: Blow, case: Case) -> None:
        """Kill what the blow is about; let a run that has survived go on; start what is missing again."""
        match blow:
            case Blow.FLOW:
                kill(engines(self.engine.worker.pid))
            case Blow.WORKER:
                worker = self.engine.worker
                kill([*engines(worker.pid), *children(worker.pid), worker.pid])
                await _end_of(worker)
                self._go()
                await self.start_worker()
            case Blow.TERMINATE:
                os.kill(self.engine.worker.pid, signal.SIGTERM)
                self._go()
                await _end_of(self.engine.worker)
                await self.start_worker()
            case Blow.RECEIVER:
                await self._restart_receiver(case)
            case Blow.SERVER:
                await self._restart_server()
        self._go()

    def _go(self) -> None:
        (self.orders / "go").touch()

    async def _restart_receiver(self, case: Case) -> None:
        kill([case.receiver.pid])
        await _end_of(case.receiver)
        self._go()
        port = case.receiver_url.rpartition(":")[2]
        case.receiver = await Process.start(
            "The receiver",
            [sys.executable, "-m", "deployments.receiver", "--config", case.config, "--port", port],
            log=case.receiver.log,
            environment=self.engine.environment,
        )
        await until_answers(f"{case.receiver_url}/readyz", case.receiver)

    async def _restart_server(self) -> None:
        server = self.engine.server
        kill([server.process.pid])
        await _end_of(server.process)
        self._go()
        again = await PrefectServer.start(self.folder, port=int(server.ui_url.rpartition(":")[2]))
        await again.ready()
        server.process = again.process


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """A stage in a folder; this process's Prefect clients speak to its server."""
    server = await PrefectServer.start(folder)
    one = Stage(server, folder)
    one.orders.mkdir()
    try:
        await server.ready()
        await one.start_worker()
        ours = {
            PREFECT_API_URL: server.api_url,
            PREFECT_API_AUTH_STRING: server.access.password,
            PREFECT_UI_URL: server.ui_url,
        }
        with temporary_settings(ours, restore_defaults={PREFECT_API_KEY}):
            yield one
    finally:
        await one.engine.worker.stop()
        await server.process.stop()


def kill(pids: list[int]) -> None:
    """SIGKILL, where it is still there."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


async def _end_of(process: Process) -> None:
    with suppress(EndedEarly):
        await process.ended()
