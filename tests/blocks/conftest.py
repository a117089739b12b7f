"""Servers that misbehave, on loopback."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an incident store that nobody has used before, in each database that we support."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite+aiosqlite:///{tmp_path}/incidents.db"


@pytest.fixture
def nobody() -> str:
    """The URL of a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


class HangingUp(str):
    """The URL of a server that hangs up, and what it was sent before."""

    __slots__ = ("requests",)
    requests: list[bytes]


@pytest.fixture
def hanging_up() -> Iterator[HangingUp]:
    """The URL of a server that reads a request and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = HangingUp(f"http://127.0.0.1:{server.getsockname()[1]}")
        url.requests = []

        def serve() -> None:
            with contextlib.suppress(OSError):  # the test is over and the server closed
                while True:
                    connection, _ = server.accept()
                    with connection:
                        url.requests.append(connection.recv(65536))

        threading.Thread(target=serve, daemon=True).start()
        yield url
        server.shutdown(socket.SHUT_RDWR)
