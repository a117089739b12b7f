"""The disk behind standard output and error is full: processes go on, and end as they would have ended."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from deployments.prefect.server import foreign_settings_removed
from deployments.processes.process import free_port
from tests.fixtures.own_disk import fill, small_disk

ROOT = Path(__file__).parents[3]
TALKS = """
import sys
from deployments.processes.output import never_fail
never_fail()
for number in range(3000):
    print(number, "x" * 100)
    print(number, "y" * 100, file=sys.stderr, flush=True)
sys.exit(3)
"""
TALKS_AGAIN = """
import sys
from deployments.processes.output import never_fail
never_fail()
print("nobody can read this", flush=True)
sys.stdin.readline()
print("this one can be read", flush=True)
"""


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    """A file on a disk that is full."""
    with Path("/dev/full").open("wb") as file:
        yield file


def test_a_process_whose_output_cannot_be_written_ends_with_its_own_exit_code(full: IO[bytes]) -> None:
    """Python itself would end with 120, from which Prefect would take the run for crashed."""
    ended = subprocess.run([sys.executable, "-c", TALKS], stdout=full, stderr=full, cwd=ROOT, check=False)
    assert ended.returncode == 3


def test_what_is_lost_is_told_once_there_is_room(tmp_path: Path) -> None:
    """The line in the log says that something is missing before it."""
    with small_disk(tmp_path / "disk", kib=64):
        log = tmp_path / "disk" / "log"
        with log.open("ab") as file:
            filler = fill(tmp_path / "disk")
            command = [sys.executable, "-c", TALKS_AGAIN]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=file, cwd=ROOT, text=True
            ) as process:
                assert process.stdin is not None
                wait_until_it_reads(process.pid)
                filler.unlink()
                process.stdin.write("\n")
                process.stdin.close()
        assert log.read_text().splitlines() == [
            "",
            "[21 bytes could not be written here]",
            "this one can be read",
        ]


def wait_until_it_reads(pid: int) -> None:
    """Wait until a process waits at its pipe."""
    wchan = Path(f"/proc/{pid}/syscall")
    for _ in range(600):
        if wchan.read_text().startswith("0 0x0 "):  # read(0, …)
            return
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError("it does not read")


@contextmanager
def running(
    command: list[str | Path], output: IO[bytes], **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours whose output goes there."""
    with subprocess.Popen(
        [str(part) for part in command],
        stdout=output,
        stderr=output,
        cwd=ROOT,
        env=foreign_settings_removed(os.environ) | environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.proof
async def test_a_receiver_whose_log_cannot_be_written_takes_alerts(tmp_path: Path, full: IO[bytes]) -> None:
    """It answers as ever, and ends in order when it is told to."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    (tmp_path / "runbook.toml").write_text('[receiver]\ntoken = { file = "token" }\n')
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "deployments.receiver",
        "--config",
        tmp_path / "runbook.toml",
        "--port",
        port,
    ]
    away = "http://127.0.0.1:1/api"
    with running([*map(str, command)], full, PREFECT_API_URL=away) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            async with asyncio.timeout(30):
                while not await _answers(client):  # noqa: ASYNC110  it listens when it listens
                    await asyncio.sleep(0.1)
            for number in range(20):
                answer = await client.post(
                    "/alerts/plain",
                    json={"service": f"s{number}", "name": "n", "summary": "x"},
                    headers={"authorization": "Bearer a-token-of-some-length"},
                )
                assert answer.status_code == 202
            assert (await client.get("/readyz")).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == -signal.SIGTERM


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.TransportError:
        return False
