"""A receiver in a process of its own, through which people act, and the settings that it reads."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine, delete
from werkzeug import Request, Response

from blocks.store.database.tables import EVENTS, INCIDENTS
from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from runbook.incidents import events as e
from tests.deployments.cli_store import Store, store_in
from tests.fixtures.prefect_server import event_loop_in_background

TOKENS = {"ana": "ana-" * 10, "bob": "bob-" * 10, "cyd": "cyd-" * 10}
SETTINGS = """
[store]
url = "sqlite+aiosqlite:///incidents.db"
[receiver]
socket = "receiver.sock"
[receiver.people]
ana = { file = "ana.token" }
bob = { file = "bob.token" }
[policy.people.ana]
logins = ["ana@example.com"]
[policy.people.bob]
"""


@dataclass(frozen=True)
class Receiver:
    """Where it is. Its settings can be changed while it runs."""

    url: str
    folder: Path

    @property
    def socket(self) -> Path:
        """Its local socket."""
        return self.folder / "receiver.sock"

    def configure(self, more: str = "", *, instead_of: str = "") -> None:
        """Write the settings with more in them."""
        (self.folder / "runbook.toml").write_text(SETTINGS.replace(instead_of, "") + more)

    def store(self, monkeypatch: pytest.MonkeyPatch) -> Store:
        """Its store, and its settings as they were; the folder becomes the working one."""
        store = store_in(self.folder, monkeypatch)
        self.configure()
        return store

    def forget(self) -> None:
        """Have a store without incidents, for a test in which only its own may wait for an answer."""
        engine = create_engine(f"sqlite:///{self.folder / 'incidents.db'}")
        with engine.begin() as connection:
            for table in (EVENTS, INCIDENTS):
                connection.execute(delete(table))
        engine.dispose()

    def log(self) -> str:
        """What it has written."""
        return (self.folder / "log").read_text()


@contextmanager
def receiver_process(
    folder: Path,
    prefect_url: str,
    more: str = "",
    *,
    started: list[Process] | None = None,
    instead_of: str = "",
) -> Iterator[Receiver]:
    """A running receiver whose files are in the folder; its process is put into `started`.

    `more` are further settings, in the place of `instead_of`.
    """
    for name, token in TOKENS.items():
        (folder / f"{name}.token").write_text(token)
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}", folder)
    receiver.configure(more, instead_of=instead_of)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "deployments.receiver",
        "--config",
        folder / "runbook.toml",
    ]
    with event_loop_in_background() as run:
        process = run(
            Process.start(
                "The receiver",
                [*command, "--port", str(port)],
                log=folder / "log",
                environment={**os.environ, "PREFECT_API_URL": prefect_url},
            )
        )
        if started is not None:
            started.append(process)
        try:
            run(until_answers(f"{receiver.url}/readyz", process))
            yield receiver
        finally:
            run(process.stop())


class Relay:
    """What a receiver that outlives tests asks Prefect goes to the test's Prefect, while there is one.

    At all other times nobody answers: another test's server would see requests that are not its own.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.to: str | None = None
        self.url = server.url_for("/api")
        server.expect_request(re.compile("/api/.*")).respond_with_handler(self._pass_on)

    def _pass_on(self, request: Request) -> Response:
        if self.to is None:
            return Response("no test needs Prefect now", status=503)
        headers = {name: value for name, value in request.headers if name.lower() != "host"}
        answer = httpx.request(
            request.method, self.to + request.full_path, content=request.get_data(), headers=headers
        )
        return Response(answer.content, answer.status_code, content_type=answer.headers.get("content-type"))


@pytest.fixture(scope="session")
def lasting_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, Relay]]:
    """One receiver for all tests of a process: it takes seconds to start. Each has incidents of its own."""
    with HTTPServer(threaded=True) as server:
        relay = Relay(server)
        with receiver_process(tmp_path_factory.mktemp("people"), relay.url) as running:
            yield running, relay


@pytest.fixture
def receiver(lasting_receiver: tuple[Receiver, Relay], make_httpserver: HTTPServer) -> Iterator[Receiver]:
    """The receiver; the Prefect that it asks is the test server's."""
    running, relay = lasting_receiver
    relay.to = make_httpserver.url_for("").rstrip("/")
    yield running
    relay.to = None


@pytest.fixture
def kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store; the commands find its settings in the working folder."""
    return receiver.store(monkeypatch)


@pytest.fixture
def elsewhere(
    receiver: Receiver, kept: Store, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """A machine with no settings, that knows the receiver's address and Ana's token."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("RUNBOOK_URL", receiver.url)
    monkeypatch.setenv("RUNBOOK_TOKEN", TOKENS["ana"])
    return kept


_numbers = iter(range(1, 10_000))


def opened(kept: Store, *events: e.Event) -> str:
    """An incident of its own."""
    return kept.open(f"{next(_numbers):04x}", events)
