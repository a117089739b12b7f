"""A run that becomes due wakes the workers of the machine; where none listens, nothing happens."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from deployments.prefect.wake import WakeWorkers, listening, stop_listening, wake_workers


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of a worker."""
    with listening(tmp_path, "1") as own:
        yield own


def woken(heard: socket.socket) -> bool:
    """Whether somebody woke the worker since the last look."""
    try:
        return bool(heard.recv(1))
    except BlockingIOError:
        return False


async def post(folder: Path, path: str, body: Any, *, status: int = 200) -> None:
    """Send a request through the middleware to an API that answers with that status."""

    async def api(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            continue
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    transport = httpx.ASGITransport(WakeWorkers(api, folder=folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://prefect") as client:
        assert (await client.post(path, content=json.dumps(body))).status_code == status


RUN = "/api/flow_runs/6f9619ff-8b86-d011-b42d-00cf4fc964ff"


@pytest.mark.parametrize(
    ("path", "body", "status", "wakes"),
    [
        ("/api/deployments/6f9619ff-8b86-d011-b42d-00cf4fc964ff/create_flow_run", {}, 201, True),
        (f"{RUN}/resume", {}, 201, True),
        (f"{RUN}/set_state", {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}}, 201, True),
        (f"{RUN}/set_state", {"state": {"type": "RUNNING"}}, 201, False),
        (f"{RUN}/resume", {}, 503, False),
        ("/api/flow_runs/filter", {"state": {"type": {"any_": ["SCHEDULED"]}}}, 200, False),
        ("/api/work_pools/runbook/get_scheduled_flow_runs", {}, 200, False),
    ],
)
async def test_what_makes_a_run_due_wakes_the_worker(
    tmp_path: Path, heard: socket.socket, path: str, body: Any, status: int, wakes: bool
) -> None:
    """And nothing else does: each waking is a poll."""
    await post(tmp_path, path, body, status=status)
    assert woken(heard) is wakes


def test_every_worker_is_woken_and_the_socket_of_a_dead_one_goes(tmp_path: Path) -> None:
    """A worker that was killed leaves its socket behind."""
    first, second = listening(tmp_path, "1"), listening(tmp_path, "2")
    assert wake_workers(tmp_path) == 2
    assert woken(first)
    assert woken(second)
    second.close()
    assert wake_workers(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["1.wake"]
    stop_listening(tmp_path, "1")
    assert wake_workers(tmp_path) == 0


def test_a_folder_with_a_long_name_serves_as_well(tmp_path: Path) -> None:
    """The address of a socket is limited to 108 bytes."""
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    with listening(folder, "1") as own:
        assert wake_workers(folder) == 1
        assert woken(own)


def test_a_worker_that_is_too_busy_to_hear_holds_up_nobody(tmp_path: Path, heard: socket.socket) -> None:
    """Its queue is full of wakings already."""
    for _ in range(2_000):
        wake_workers(tmp_path)
    assert woken(heard)


async def test_a_request_is_answered_where_the_folder_is_gone(tmp_path: Path) -> None:
    """Something that tidies up has removed it: the workers poll."""
    await post(tmp_path / "gone", f"{RUN}/resume", {}, status=201)


def test_what_is_no_socket_is_left_alone(tmp_path: Path, heard: socket.socket) -> None:
    """A file, a folder, and a link to what is elsewhere; the workers beside them are woken."""
    (tmp_path / "0.wake").mkdir()
    (tmp_path / "00.wake").write_text("somebody's")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with listening(elsewhere, "2") as other:
        (tmp_path / "2.wake").symlink_to(elsewhere / "2.wake")
        (tmp_path / "3.wake").symlink_to(tmp_path / "nowhere")
        before = sorted(path.name for path in tmp_path.iterdir())
        assert wake_workers(tmp_path) == 1
        assert woken(heard)
        assert not woken(other)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
