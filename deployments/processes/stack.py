"""Everything that a single machine needs: Prefect's server, the settings in it, the worker and the receiver.

`runbook up` and the drill run inside it. All of it stops with it, also when it is killed: the worker and the
receiver first, which report to the server to the last.
"""

import asyncio
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from blocks.transport.translating import bare_url
from deployments.prefect.access import Access
from deployments.prefect.patience import CLIENT_RETRIES
from deployments.prefect.server import PrefectServer, until_answers
from deployments.processes.process import Process, free_port, require_free
from deployments.receiver.settings import reachable
from deployments.settings.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_WORKER_POLL_SECONDS = 0.05


class Stack:
    """An async context manager: entered, everything is ready; left, everything is stopped.

    `api_url` is a Prefect server that is there already; without one, a server of our own keeps its state in
    the folder `state`: `server`, if it is starting already, which then stops with the stack. Inside, this
    process's Prefect clients speak to that server.

    The settings may be those without the outside systems: the worker reads these from `config`. `more` is
    what its processes have in their environment, too.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        config: Path,
        state: Path,
        api_url: str | None = None,
        server: PrefectServer | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._config = config.absolute()
        self._state = state.absolute()
        self._given_api_url = api_url
        self._server = server
        self._more = dict(more or {})
        self._resources = AsyncExitStack()
        self._clients: list[Process] = []
        self._worker_name = f"runbook-{secrets.token_hex(4)}"
        self.processes: list[Process] = []
        """In the order in which they were started."""
        self.access: Access | None = None
        """How our own server is reached; None where the server is another's."""
        self.api_url = ""
        self.ui_url = ""
        """Where people reach Prefect's UI."""
        self.receiver_url = ""
        """The receiver on this machine."""
        self.alerts_url = ""
        """Where senders and people reach the receiver."""

    async def __aenter__(self) -> Self:
        """Start everything.

        Raises:
            OutsideError: something did not start, because of its settings for instance; one line says what
                and why. Nothing is left running.
        """
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def exports(self) -> str:
        """What another shell exports to speak to this Prefect."""
        named = "".join(f" {name}={shlex.quote(value)}" for name, value in self._more.items())
        first = self.access.exports if self.access else f"export PREFECT_API_URL={bare_url(self.api_url)}"
        return f"{first}{named}"

    def login(self, *, terminal: bool) -> list[str]:
        """What Prefect's UI asks for, see `Access.login`; nothing is known of another's server."""
        return [self.access.login(terminal=terminal)] if self.access else []

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
        environment |= self._more
        arguments = ("--config", str(self._config), "--name", self._worker_name)
        worker = await self._run("worker", "deployments.worker", *arguments, environment=environment)
        receiver = await self._receiver(environment)
        self._speak_to_prefect()
        if server is not None:
            await server.ready()
        await until_answers(f"{self.receiver_url}/readyz", receiver)
        await self._until_polling(worker)

    async def _prefect(self) -> tuple[dict[str, str], PrefectServer | None]:
        if self._given_api_url:
            self.api_url = self._given_api_url.rstrip("/")
            named = self._settings.prefect.public_url or os.environ.get("PREFECT_UI_URL")
            self.ui_url = named or bare_url(self.api_url.removesuffix("/api"))
            return dict(os.environ) | {"PREFECT_API_URL": self.api_url, "PREFECT_UI_URL": self.ui_url}, None
        own = self._settings.prefect
        server = self._server or await PrefectServer.start(
            self._state, port=own.port, public_url=own.public_url
        )
        self.processes.append(server.process)
        self._resources.push_async_callback(server.process.stop)
        self.access, self.api_url, self.ui_url = server.access, server.api_url, server.ui_url
        return server.client_environment(self._state), server

    async def _receiver(self, environment: dict[str, str]) -> Process:
        host, port = self._settings.receiver.host, self._settings.receiver.port or free_port()
        advice = "Stop what listens there, or set another [receiver] port"
        require_free(host, port, what="Alert receiver", advice=advice)
        self.receiver_url = f"http://{reachable(host)}:{port}"
        self.alerts_url = self._settings.receiver.public_url or self.receiver_url
        arguments = ("--config", str(self._config), "--port", str(port))
        return await self._run("receiver", "deployments.receiver", *arguments, environment=environment)

    async def _run(self, name: str, module: str, *arguments: str, environment: dict[str, str]) -> Process:
        process = await Process.start(
            f"The {name}",
            [sys.executable, "-m", module, *arguments],
            log=self._state / "logs" / f"{name}.log",
            environment=environment,
        )
        self.processes.append(process)
        self._clients.append(process)
        return process

    async def _stop(self) -> None:
        await asyncio.gather(*(process.stop() for process in self._clients))
        await self._resources.aclose()

    def _speak_to_prefect(self) -> None:
        from prefect.settings import (
            PREFECT_API_AUTH_STRING,
            PREFECT_API_KEY,
            PREFECT_API_URL,
            PREFECT_CLIENT_MAX_RETRIES,
            PREFECT_UI_URL,
            temporary_settings,
        )

        ours: dict[Any, Any] = {PREFECT_API_URL: self.api_url, PREFECT_UI_URL: self.ui_url}
        foreign: set[Any] = set()
        if not self._given_api_url:
            ours[PREFECT_CLIENT_MAX_RETRIES] = CLIENT_RETRIES
            foreign = {PREFECT_API_KEY}
        if self.access is not None:
            ours[PREFECT_API_AUTH_STRING] = self.access.password
        scope = ExitStack()
        scope.enter_context(temporary_settings(ours, restore_defaults=foreign))
        self._resources.callback(scope.close)

    async def _until_polling(self, worker: Process) -> None:
        """The worker polls when it has saved the settings."""
        from blocks.transport.prefect_api import prefect_client

        async with prefect_client() as client:
            while not await _serves(client, self._settings.prefect.work_pool, self._worker_name):
                worker.check()
                await asyncio.sleep(_WORKER_POLL_SECONDS)


async def _serves(client: "PrefectClient", pool: str, worker: str) -> bool:
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        return worker in {known.name for known in await client.read_workers_for_work_pool(pool)}
    except PrefectHTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return False  # the pool is not there yet
