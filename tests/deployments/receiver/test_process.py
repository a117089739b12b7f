"""The receiver as a process: it drains when it is told to end, and closes what has no credential."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from deployments.receiver.notifications import UNPROVEN
from runbook.alerts.sources import SOURCES

pytestmark = pytest.mark.proof

TOKEN = "a-token-of-some-length"


class Running:
    """A receiver in a process of its own."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Running]:
    """A receiver that takes plain alerts, whose Prefect is away."""
    async with running(tmp_path) as one:
        yield one


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can come to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A receiver on the store of that folder."""
    for name, text in {
        "token": TOKEN,
        "runbook.toml": '[receiver.plain]\ntoken = { file = "token" }\n',
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o666)  # of which nothing comes in a folder that is closed to others
    port = free_port()
    process = await Process.start(
        "The receiver",
        [
            *(sys.executable, "-m", "deployments.receiver"),
            *("--config", tmp_path / "runbook.toml", "--port", str(port)),
        ],
        log=tmp_path / "log",
        environment={**os.environ, "PREFECT_API_URL": "http://127.0.0.1:1/api"},
    )
    one = Running(process, port)
    try:
        await until_answers(f"{one.url}/readyz", process)
        yield one
    finally:
        await process.stop()


async def test_sigterm_lets_what_was_let_in_be_answered(receiver: Running) -> None:
    """A notification of which half has arrived is taken to its end; then the process is gone."""
    body = b'{"service": "s", "name": "n", "summary": "x"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
    head = f"POST /alerts/plain HTTP/1.1\r\nhost: r\r\nauthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body[:10])
    await writer.drain()
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{receiver.url}/healthz")  # who came before has been let in by then
    os.kill(receiver.process.pid, signal.SIGTERM)
    async with asyncio.timeout(20):
        await nobody_listens(receiver.port)
    writer.write(body[10:])
    async with asyncio.timeout(20):
        assert (await reader.readline()).split()[1] == b"202"
    writer.close()


async def nobody_listens(port: int) -> None:
    """Wait until a new connection is refused."""
    with suppress(ConnectionRefusedError):
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await asyncio.sleep(0.05)


async def test_a_source_without_a_credential_is_closed(receiver: Running) -> None:
    """The token of one source opens no other, and the answer does not tell which are open."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=receiver.url, trust_env=False, headers=headers) as client:
        answers = {name: await client.post(f"/alerts/{name}", json={}) for name in SOURCES}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        **dict.fromkeys(SOURCES, 401),
        "plain": 202,
    }
    refused = {answers[name].text for name in SOURCES if name != "plain"}
    assert refused == {f'{{"error":"not authenticated","next_step":"{UNPROVEN}"}}'}


async def test_settings_that_others_can_change_are_told_in_the_log(open_folder: Path) -> None:
    """Once, when it starts; and it starts."""
    async with running(open_folder) as one:
        told = [line for line in one.process.log.read_text().splitlines() if "settings warning" in line]
    assert len(told) == 2
    assert "can be changed by everybody on this machine" in told[1]
    assert "receiver.plain.token: " in told[0]


async def test_two_receivers_open_one_incident(tmp_path: Path) -> None:
    """Replicas behind a load balancer get alerts of one service at the same moment, again and again."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with (
        running(tmp_path) as first,
        running(tmp_path) as second,
        httpx.AsyncClient(trust_env=False, headers=headers) as client,
    ):
        for service in ("a", "b", "c", "d", "e"):
            sent = [
                client.post(
                    f"{one.url}/alerts/plain",
                    json={"service": service, "name": f"{number}", "summary": "x"},
                )
                for number in range(3)
                for one in (first, second)
            ]
            answers = [answer.json()["incidents"][0] for answer in await asyncio.gather(*sent)]
            assert len({answer["id"] for answer in answers}) == 1
            assert sum(answer["new"] for answer in answers) == 1
