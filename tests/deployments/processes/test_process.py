"""The processes that we start: how their early end is told, and that none of them outlives us."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blocks.transport.errors import Refused
from deployments.processes import process as subject
from deployments.processes.process import EndedEarly, Process, free_port, require_free

WITHIN_SECONDS = 20.0

LINUX_GIVES_FROM = 32_768
"""The lowest port of an outgoing connection, unless a machine says otherwise (ip_local_port_range)."""


async def start(tmp_path: Path, program: str) -> Process:
    """Start a Python program."""
    command = [sys.executable, "-c", program]
    return await Process.start("The program", command, log=tmp_path / "program.log", environment=os.environ)


def gone(pid: int) -> bool:
    """Whether a process that is not our child ends in time."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


PREFECT_LINE = "19:19:26.407 | {} | prefect.flow_runs.worker - {}"
OUR_LINE = '{{"at": "2026-11-28T19:19:26.407Z", "level": "{}", "log": "runbook", "event": "{}"}}'


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            [PREFECT_LINE.format("INFO", "polling"), PREFECT_LINE.format("ERROR", "no disk left")],
            f": {PREFECT_LINE.format('ERROR', 'no disk left')}",
        ),
        (["INFO:     127.0.0.1 - GET /", "address in use", "INFO:     bye"], ": address in use"),
        (
            [OUR_LINE.format("warning", "slow"), OUR_LINE.format("info", "listening")],
            f": {OUR_LINE.format('warning', 'slow')}",
        ),
        ([OUR_LINE.format("info", "listening")], ", and wrote neither a warning nor an error"),
        ([], ", and wrote neither a warning nor an error"),
    ],
)
async def test_lines_that_only_inform_are_no_reason_of_an_early_end(
    written: list[str], told: str, tmp_path: Path
) -> None:
    """The last thing that a server says before it is killed is that it has answered somebody."""
    text = "".join(f"{line}\n" for line in written)
    process = await start(tmp_path, f"import os; print({text!r}, end='', flush=True); os._exit(3)")
    with pytest.raises(EndedEarly) as ended:
        await process.ended()
    detail, _, log = str(ended.value).rpartition(". Its log is ")
    assert detail == f"The program: ended with exit code 3{told}"
    assert log == f"{tmp_path}/program.log"


async def test_an_early_end_is_told_with_the_last_words(tmp_path: Path) -> None:
    """One line has the exit code, the end of the output and where the rest of it is."""
    process = await start(tmp_path, "import sys; print('first', flush=True); sys.exit('port is taken')")
    with pytest.raises(EndedEarly) as told:
        await process.ended()
    assert str(told.value) == (
        f"The program: ended with exit code 1: first | port is taken. Its log is {tmp_path}/program.log"
    )


async def test_a_process_that_runs_is_no_news(tmp_path: Path) -> None:
    """Looking at a running process does nothing; stopping it twice does no harm."""
    process = await start(tmp_path, "import time; time.sleep(60)")
    process.check()
    await process.stop()
    assert not process.running
    await process.stop()


async def test_a_process_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM first; SIGKILL for one that ignores it."""
    monkeypatch.setattr(subject, "STOP_SECONDS", 0.2)
    process = await start(
        tmp_path,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)\n"
        "time.sleep(60)",
    )
    while not process.last_lines():  # noqa: ASYNC110  the program says so in its log
        await asyncio.sleep(0.02)
    await process.stop()
    assert not process.running


def test_no_process_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Also kill -9 of the program that started them leaves nothing behind."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import asyncio, os, pathlib, sys\n"
            "from deployments.processes.process import Process\n"
            "async def main():\n"
            "    child = await Process.start('c', [sys.executable, '-c', 'import time; time.sleep(60)'],\n"
            "                                log=pathlib.Path(sys.argv[1]), environment=os.environ)\n"
            "    print(child.pid, flush=True)\n"
            "    await asyncio.sleep(60)\n"
            "asyncio.run(main())\n",
            str(tmp_path / "log"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert gone(child)


def test_a_port_in_use_is_refused_in_one_line() -> None:
    """The line names the port and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused) as refused:
            require_free("127.0.0.1", port, what="Receiver", advice="Set another port")
    assert str(refused.value) == (
        f"Receiver: cannot listen on 127.0.0.1 port {port} (Address already in use). Set another port"
    )
    require_free("127.0.0.1", port, what="Receiver", advice="Set another port")


def test_a_free_port_is_none_that_an_outgoing_connection_may_have() -> None:
    """A process that is started again on it would find it taken now and then."""
    assert max(free_port() for _ in range(20)) < LINUX_GIVES_FROM


def test_where_no_port_is_free_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the ports that were tried."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(subject, "_PORTS", range(port, port + 1))
        monkeypatch.setattr(subject, "_PORTS_TRIED", 1)
        with pytest.raises(Refused, match=f"no free port on 127.0.0.1 among {port}-{port}"):
            free_port()
