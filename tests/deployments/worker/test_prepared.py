"""A process that has got ready becomes the run's, or ends; the run starts either way."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from deployments.worker import preparing
from deployments.worker.prepared import Preparation, settings_of_runs
from deployments.worker.preparing import get_ready, preparation_for, prepare
from deployments.worker.warm_run import LENGTH, RUN, STATUS, TAKEN
from tests.engine.processes import children
from tests.fixtures.eventually import eventually

SCRIPT = """
import sys
from deployments.worker.zygote import start_zygote
handle = start_zygote(sys.argv[1])
print(handle.pid, flush=True)
sys.stdin.read()
handle.dismiss()
"""


@dataclass(frozen=True)
class Warm:
    """A zygote without a worker; nothing answers as Prefect's server, so that each run ends with 1."""

    path: str
    pid: int

    async def children(self) -> list[int]:
        """The processes that it has forked."""
        return children(self.pid)

    async def one(self) -> int:
        """Wait for the only one."""
        [pid] = await eventually(self.children, lambda pids: len(pids) == 1)
        return pid

    def start(self, run: UUID) -> socket.socket:
        """Ask for the process of a run."""
        asking = socket.socket(socket.AF_UNIX)
        asking.connect(self.path)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
        environment |= {
            "PREFECT_API_URL": "http://127.0.0.1:1/api",
            "PREFECT_CLIENT_MAX_RETRIES": "0",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            RUN: str(run),
        }
        request = "\0".join(["/", *(f"{name}={value}" for name, value in environment.items())]).encode()
        asking.sendall(LENGTH.pack(len(request)) + request)
        assert asking.recv(1) == TAKEN
        return asking


async def exit_code(asking: socket.socket) -> int:
    """The code with which the run's process ends."""
    told = await asyncio.to_thread(asking.recv, STATUS.size, socket.MSG_WAITALL)
    asking.close()
    return int(STATUS.unpack(told)[0])


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncIterator[Warm]:
    """A zygote."""
    path = str(tmp_path / "zygote")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", SCRIPT, path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Warm(path, int(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


async def test_the_process_that_got_ready_runs_the_run(warm: Warm) -> None:
    """No second one is started beside it."""
    run = uuid4()
    ready = await prepare(Preparation(run, "default", checks=True), warm.path)
    pid = await warm.one()
    asking = warm.start(run)
    ready.close()  # it is the run's by now
    assert await exit_code(asking) == 1
    assert pid not in await warm.children()
    assert await warm.children() == []


async def test_a_process_whose_run_does_not_start_ends(warm: Warm) -> None:
    """The worker was refused the run, or another worker has it."""
    ready = await prepare(Preparation(uuid4(), "default", checks=True), warm.path)
    await warm.one()
    ready.close()
    await eventually(warm.children, lambda pids: pids == [])


async def test_a_run_whose_process_died_while_it_got_ready_is_started_all_the_same(warm: Warm) -> None:
    """It was killed, or ran out of memory."""
    run = uuid4()
    ready = await prepare(Preparation(run, "default", checks=False), warm.path)
    os.kill(await warm.one(), 9)
    await eventually(warm.children, lambda pids: pids == [])
    assert await exit_code(warm.start(run)) == 1
    ready.close()


async def test_another_run_gets_a_process_of_its_own(warm: Warm) -> None:
    """Only the run that it was made ready for gets a process."""
    ready = await prepare(Preparation(uuid4(), "default", checks=False), warm.path)
    pid = await warm.one()
    assert await exit_code(warm.start(uuid4())) == 1
    assert await warm.children() == [pid]
    ready.close()


@pytest.mark.parametrize("environment", [{}, {RUN: "no id"}])
def test_a_request_that_names_no_run_is_none(environment: dict[str, str]) -> None:
    """It is let go; the run's own request is served as ever."""
    with pytest.raises(ValueError, match="badly formed"):
        Preparation.of(environment)


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(f"x\0{RUN}={UUID(int=1)}", id="another-run"),
        pytest.param("x\0y", id="another-variable"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param("", id="empty"),
        pytest.param("x" * 600_000, id="long"),
        pytest.param(["x"], id="list"),
    ],
)
def test_a_run_that_names_no_environment_chooses_nothing(environment: object) -> None:
    """Neither whose process gets ready, nor how much is read: the run starts as it would without."""
    run = FlowRun(flow_id=uuid4(), parameters={"environment": environment, "incident": "inc-1"})
    assert preparation_for(run) is None


async def test_without_a_warm_process_nothing_is_prepared(tmp_path: Path) -> None:
    """The run is started cold."""
    (await prepare(Preparation(uuid4(), "default", checks=True), str(tmp_path / "none"))).close()


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"PREFECT__FLOW_RUN_ID": "1"}, True),
        ({"PREFECT_SERVER_EPHEMERAL_ENABLED": "True", "PREFECT_WORKER_QUERY_SECONDS": "0.5"}, True),
        ({"HOME": "/elsewhere"}, True),
        ({"PREFECT_API_URL": "http://127.0.0.1:2/api"}, False),
        ({"PREFECT_LOGGING_LEVEL": "DEBUG"}, False),
    ],
)
def test_settings_are_read_anew_where_the_run_has_others(changed: dict[str, str], same: bool) -> None:
    """Reading them takes a tenth of a second, which a run that has the worker's settings need not wait."""
    before = {"PREFECT_API_URL": "http://127.0.0.1:1/api", "HOME": "/root"}
    assert (settings_of_runs(before | changed) == settings_of_runs(before)) is same


@pytest.mark.parametrize(
    ("count", "incident", "checks", "named"),
    [
        (0, "inc-20261129-170000-00a1", True, "inc-20261129-170000-00a1"),
        (1, "inc-20261129-170000-00a1", False, "inc-20261129-170000-00a1"),
        (0, None, False, ""),
        (1, "inc-1\0x", False, ""),
        (1, 7, False, ""),
    ],
)
def test_what_is_done_ahead(count: int, incident: object, checks: bool, named: str) -> None:
    """The checks of a response that begins; a look at the change of one that goes on."""
    run = FlowRun(flow_id=uuid4(), run_count=count, parameters={"incident": incident})
    preparation = preparation_for(run)
    assert preparation is not None
    assert (preparation.checks, preparation.incident) == (checks, named)
    assert Preparation.of(preparation.as_environment()) == preparation


class Prefect:
    """A client whose answers are of no use."""

    def __init__(self, answer: Exception | None) -> None:
        self._answer = answer

    async def request(self, *_: object, **__: object) -> None:
        """Fail, or never answer."""
        if self._answer is not None:
            raise self._answer
        await asyncio.sleep(600)


@pytest.mark.parametrize(
    "answer",
    [None, httpx.ReadTimeout("no answer"), ValueError("no JSON"), KeyError("x"), RuntimeError("closed")],
    ids=["never", "too late", "unreadable", "of another form", "closed"],
)
async def test_a_run_waits_for_no_answer_of_prefect_about_its_blocks(
    answer: Exception | None, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process gets ready without what the worker could not read, and reads it by itself."""
    monkeypatch.setattr(preparing, "READ_SECONDS", 0.2)
    run = FlowRun(id=uuid4(), flow_id=uuid4(), parameters={"incident": "inc-20261129-170000-00a1"})
    async with asyncio.timeout(5):
        ready = await get_ready(run, warm.path, cast(PrefectClient, Prefect(answer)))
    await warm.one()
    ready.close()
    await eventually(warm.children, lambda pids: pids == [])
