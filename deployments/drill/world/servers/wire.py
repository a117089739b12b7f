"""Loopback servers: one per system, on a port of its own, all of them in one event loop."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import trustme
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

ABORT = "drill.abort"
"""Key of the scope under which a server leaves a function that drops the connection."""


class Authority:
    """Whoever trusts it, by `pem`, trusts the servers that it has certified."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="drill")
        self.pem = self._authority.cert_pem.bytes().decode()

    @contextmanager
    def certificate(self) -> Iterator[Path]:
        """A file with key and certificate of this machine's loopback address."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.touch(mode=0o600)
            made = self._authority.issue_cert("127.0.0.1", "localhost")
            made.private_key_and_cert_chain_pem.write_to_path(str(path))
            yield path


class _QuietServer(uvicorn.Server):
    """A server that leaves the process's signals to the world that runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve ``app`` on a free loopback port and yield its base URL; stop serving on leaving."""
    async with all_listening([app]) as (url,):
        yield url


@asynccontextmanager
async def all_listening(
    apps: Sequence[ASGIApp], *, authority: Authority | None = None
) -> AsyncIterator[Sequence[str]]:
    """Serve each application on a port of its own and yield the base URLs; stop them all together.

    With an authority they speak TLS. Raises ``RuntimeError`` if a server ends before it listens.
    """
    if authority is None:
        servers, scheme = [_server(app) for app in apps], "http"
    else:
        with authority.certificate() as certificate:
            servers, scheme = [_server(app, certificate) for app in apps], "https"
    serving = [asyncio.create_task(server.serve()) for server in servers]
    try:
        while not all(server.started for server in servers):
            if any(task.done() for task in serving):
                raise RuntimeError("an imitated system's server ended before it listened")
            await asyncio.sleep(0.005)
        ports = [server.servers[0].sockets[0].getsockname()[1] for server in servers]
        yield [f"{scheme}://127.0.0.1:{port}" for port in ports]
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*serving)


def _server(app: ASGIApp, certificate: Path | None = None) -> uvicorn.Server:
    async def abortable(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[ABORT] = partial(_abort, server, scope["client"])
        await app(scope, receive, send)

    server = _QuietServer(
        uvicorn.Config(
            abortable,
            host="127.0.0.1",
            port=0,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=certificate,
        )
    )
    if certificate is not None:
        server.config.load()  # reads it, which is about to go
    return server


def _abort(server: uvicorn.Server, peer: tuple[str, int]) -> None:
    for connection in tuple(server.server_state.connections):
        if getattr(connection, "client", None) == peer:
            connection.transport.abort()
