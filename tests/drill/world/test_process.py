"""The world as a process: one line of JSON, an orderly end, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deployments.drill.world.endpoints import Endpoints
from tests.conftest import require_binary

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[3]
ENDS_WITHIN_SECONDS = 20.0


@contextmanager
def started(state: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Endpoints]]:
    """Run the world's process until it is ready and give its endpoints; kill it at the end."""
    command = [
        sys.executable,
        "-m",
        "deployments.drill.world",
        "--scenario",
        "false-alarm",
        "--state",
        str(state),
    ]
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, Endpoints.model_validate_json(process.stdout.readline())
        finally:
            process.kill()


def children(process: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the processes that a process has started."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Say whether a process runs, a zombie aside."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: list[int]) -> bool:
    """Wait until none of the processes runs, and say whether that came."""
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_the_end_of_stdin_stops_everything(tmp_path: Path) -> None:
    """The parent's pipe closes: the world ends with 0, its ports are free and no child is left."""
    require_binary("prometheus")
    with started(tmp_path) as (process, endpoints):
        prometheus = children(process)
        assert len(prometheus) == 1
        assert httpx.get(f"{endpoints.prometheus_url}/-/ready").status_code == 200
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(ENDS_WITHIN_SECONDS) == 0
        assert gone(prometheus)
        with pytest.raises(httpx.ConnectError):
            httpx.get(endpoints.control_url)


def test_a_killed_world_takes_prometheus_with_it(tmp_path: Path) -> None:
    """SIGKILL leaves the world no time to clean up, yet no process stays behind."""
    require_binary("prometheus")
    with started(tmp_path) as (process, _):
        prometheus = children(process)
        assert len(prometheus) == 1
        process.send_signal(signal.SIGKILL)
        assert gone(prometheus)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_world_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with 0."""
    with started(tmp_path, "--imitate-prometheus") as (process, _):
        process.send_signal(number)
        assert process.wait(ENDS_WITHIN_SECONDS) == 0


def test_the_files_with_credentials_are_private(tmp_path: Path) -> None:
    """The kubeconfig and the endpoints can be read by their owner alone."""
    with started(tmp_path, "--imitate-prometheus") as (_, endpoints):
        assert endpoints.kubeconfig == tmp_path / "kubeconfig"
        for name in ("kubeconfig", "endpoints.json"):
            assert os.stat(tmp_path / name).st_mode & 0o077 == 0
        assert Endpoints.model_validate_json((tmp_path / "endpoints.json").read_text()) == endpoints


def test_an_unknown_scenario_is_a_usage_error(tmp_path: Path) -> None:
    """The command names the scenarios there are and ends with 2."""
    command = [
        sys.executable,
        "-m",
        "deployments.drill.world",
        "--scenario",
        "sunshine",
        "--state",
        str(tmp_path),
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "posthog-outage" in ended.stderr
