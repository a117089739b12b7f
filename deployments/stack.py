"""Everything that a single machine needs: Prefect's server, the settings in it, the worker and the receiver.

`runbook up` and the drill run inside it. All of it stops with it, in order, also when it is killed.
"""

import asyncio
import importlib
import os
import sys
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deployments.definitions import flow_modules
from deployments.prefect_server import PrefectServer, until_answers
from deployments.process import Process, free_port, require_free
from deployments.settings import Settings, load_settings

if TYPE_CHECKING:
    from deployments.configure import Change

_WORKER_POLL_SECONDS = 0.05


class Stack:
    """An async context manager: entered, everything is ready; left, everything is stopped.

    `api_url` is a Prefect server that is there already; without one, a server of our own keeps its state in
    the folder `state`. Inside, this process's Prefect clients speak to that server.

    The settings may be those without the outside systems: what they lack is read while the server starts.
    """

    def __init__(self, settings: Settings, *, config: Path, state: Path, api_url: str | None = None) -> None:
        self._settings = settings
        self._config = config.absolute()
        self._state = state.absolute()
        self._given_api_url = api_url
        self._resources = AsyncExitStack()
        self.processes: list[Process] = []
        """In the order in which they were started."""
        self.api_url = ""
        self.ui_url = ""
        self.receiver_url = ""
        self.changes: list[Change] = []
        """What configuring changed in Prefect."""

    async def __aenter__(self) -> Self:
        """Start everything.

        Raises:
            OutsideError: something did not start; one line says what and why. Nothing is left running.
            ConfigurationError: the outside systems' settings have mistakes.
        """
        try:
            await self._start()
        except BaseException:
            await self._resources.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, in the reverse order."""
        await self._resources.aclose()

    async def watch(self) -> None:
        """Wait; return never.

        Raises:
            EndedEarly: one of the processes ended.
        """
        watching = [asyncio.create_task(process.ended()) for process in self.processes]
        try:
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            await done.pop()
        finally:
            for task in watching:
                task.cancel()

    async def _start(self) -> None:
        """Start all processes at once: each waits for what it needs, and their imports take the longest."""
        environment, server = await self._prefect()
        worker = await self._run(
            "worker", "deployments.worker", "--pool", self._pool, environment=environment
        )
        receiver = await self._receiver(environment)
        settings = await asyncio.to_thread(self._complete_settings)
        if server is not None:
            await server.ready()
        self._speak_to_prefect()
        await self._configure(settings)
        await until_answers(f"{self.receiver_url}/readyz", receiver)
        await self._until_polling(worker)

    def _complete_settings(self) -> Settings:
        """The settings with the outside systems, whose clients take seconds to import."""
        for module in ("deployments.configure", *flow_modules()):  # configuring needs them: the same seconds
            importlib.import_module(module)
        return self._settings if self._settings.systems else load_settings(self._config)

    async def _configure(self, settings: Settings) -> None:
        from deployments.configure import configure

        self.changes = await configure(settings)

    @property
    def _pool(self) -> str:
        return self._settings.prefect.work_pool

    async def _prefect(self) -> tuple[dict[str, str], PrefectServer | None]:
        if self._given_api_url:
            self.api_url = self._given_api_url.rstrip("/")
            self.ui_url = os.environ.get("PREFECT_UI_URL") or self.api_url.removesuffix("/api")
            return dict(os.environ) | {"PREFECT_API_URL": self.api_url, "PREFECT_UI_URL": self.ui_url}, None
        server = await PrefectServer.start(self._state)
        self._keep(server.process)
        self.api_url, self.ui_url = server.api_url, server.ui_url
        return server.client_environment(self._state), server

    async def _receiver(self, environment: dict[str, str]) -> Process:
        host, port = self._settings.receiver.host, self._settings.receiver.port or free_port()
        advice = "Stop what listens there, or set another [receiver] port"
        require_free(host, port, what="Alert receiver", advice=advice)
        shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104  compared only
        self.receiver_url = f"http://{shown}:{port}"
        arguments = ("--config", str(self._config), "--port", str(port))
        return await self._run("receiver", "deployments.receiver", *arguments, environment=environment)

    async def _run(self, name: str, module: str, *arguments: str, environment: dict[str, str]) -> Process:
        process = await Process.start(
            f"The {name}",
            [sys.executable, "-m", module, *arguments],
            log=self._state / "logs" / f"{name}.log",
            environment=environment,
        )
        self._keep(process)
        return process

    def _keep(self, process: Process) -> None:
        self.processes.append(process)
        self._resources.push_async_callback(process.stop)

    def _speak_to_prefect(self) -> None:
        from prefect.settings import (
            PREFECT_API_AUTH_STRING,
            PREFECT_API_KEY,
            PREFECT_API_URL,
            PREFECT_UI_URL,
            temporary_settings,
        )

        ours = {PREFECT_API_URL: self.api_url, PREFECT_UI_URL: self.ui_url}
        foreign = set() if self._given_api_url else {PREFECT_API_KEY, PREFECT_API_AUTH_STRING}
        scope = ExitStack()
        scope.enter_context(temporary_settings(ours, restore_defaults=foreign))
        self._resources.callback(scope.close)

    async def _until_polling(self, worker: Process) -> None:
        from deployments.prefect_api import prefect_client

        async with prefect_client() as client:
            while not await client.read_workers_for_work_pool(self._pool):
                worker.check()
                await asyncio.sleep(_WORKER_POLL_SECONDS)
