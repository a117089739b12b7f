"""Serving the cluster over TLS on the loopback interface, and the kubeconfig that leads there.

TLS is not decoration: kubectl and client-go send no bearer token over plain HTTP.
"""

import asyncio
import base64
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trustme
import uvicorn
import yaml
from starlette.types import Receive, Scope, Send

from deployments.drill.cluster.cluster import Cluster
from deployments.drill.cluster.server.api import ABORT

_HOST = "127.0.0.1"
_GRACE_SECONDS = 0.25
_CLOSING_ROUNDS = 20


@dataclass(frozen=True)
class ServedCluster:
    """Where a served cluster is found, and the certificate authority to trust there."""

    url: str
    ca_pem: str
    port: int


def kubeconfig(url: str, ca_pem: str, token: str, namespace: str) -> str:
    """A kubeconfig as YAML text, with one context that sends this token."""
    authority = base64.b64encode(ca_pem.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "drill", "cluster": {"server": url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": "drill", "user": {"token": token}}],
            "contexts": [
                {"name": "drill", "context": {"cluster": "drill", "user": "drill", "namespace": namespace}}
            ],
            "current-context": "drill",
        },
        sort_keys=False,
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process that the server is a guest in."""
        yield


@asynccontextmanager
async def serve(cluster: Cluster, *, port: int = 0) -> AsyncIterator[ServedCluster]:
    """Serve the API while the context lasts; port 0 takes a free one. Raises OSError for a taken port."""
    authority = trustme.CA(organization_name="drill", organization_unit_name="simulated cluster")
    listening = socket.create_server((_HOST, port))
    with tempfile.TemporaryDirectory(prefix="drill-cluster-") as folder, listening:
        certificate = Path(folder) / "server.pem"
        authority.issue_cert(_HOST, "localhost").private_key_and_cert_chain_pem.write_to_path(
            str(certificate)
        )
        server = _server(cluster, certificate)
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="drill cluster API")
        try:
            await _until_started(server, serving)
            bound = int(listening.getsockname()[1])
            yield ServedCluster(f"https://{_HOST}:{bound}", authority.cert_pem.bytes().decode(), bound)
        finally:
            await _stop(cluster, server, serving)


async def _until_started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    # uvicorn tells nobody that it listens; the socket already does, so this is a matter of milliseconds.
    while not server.started:
        if serving.done():
            await serving
            raise OSError("the simulated cluster's server did not start")
        await asyncio.sleep(0.005)


async def _stop(cluster: Cluster, server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    # More than once: a watch that has just been asked for opens its stream a moment later.
    for _ in range(_CLOSING_ROUNDS):
        answering = set(server.server_state.tasks)
        if not answering:
            break
        cluster.close_streams()
        await asyncio.wait(answering, timeout=_GRACE_SECONDS)
    await asyncio.wait({serving}, timeout=_GRACE_SECONDS)
    # A client that keeps an idle connection in its pool never answers the end of its TLS session.
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    await serving


def _server(cluster: Cluster, certificate: Path) -> uvicorn.Server:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[ABORT] = partial(_abort, server, scope["client"])
        await cluster.app(scope, receive, send)

    config = uvicorn.Config(
        app,
        ssl_certfile=certificate,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,  # a backstop: nothing is left to wait for by then
    )
    server = _Server(config)
    return server


def _abort(server: uvicorn.Server, client: tuple[str, int]) -> None:
    for connection in list(server.server_state.connections):
        if getattr(connection, "client", None) == client:
            connection.transport.abort()
