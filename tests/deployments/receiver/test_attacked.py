"""Hundreds of clients are in the way of a receiver that may open few files: no alert is kept out by them.

The receiver and the attackers are processes of their own; the limit is the operating system's.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.settings import write_settings
from deployments.drill.world.world import World
from deployments.prefect.server import foreign_settings_removed, until_answers
from deployments.processes.process import Process, free_port
from runbook.alerts.alert import Alert
from runbook.incidents.events import RunStarted
from tests.deployments.attackers import ATTACKS
from tests.deployments.receiver_bench import notification, sent_alert

pytestmark = pytest.mark.proof

BOUND_SECONDS = 10.0
"""How long an alert may take, on a machine that the attackers share."""

FILES = 64

RUN = "7d4e0000-0000-4000-8000-000000000001"


class Receiver:
    """A receiver in a process of its own, and its senders."""

    def __init__(self, process: Process, port: int, token: str) -> None:
        self.process = process
        self.port = port
        self._token = token

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def takes_alerts(self, *, for_seconds: float) -> float:
        """Send alerts as Alertmanager does, over new connections; the longest time that one took."""
        longest, until, number = 0.0, time.monotonic() + for_seconds, 0
        while time.monotonic() < until:
            number += 1
            began = time.monotonic()
            async with httpx.AsyncClient(trust_env=False, timeout=BOUND_SECONDS) as client:
                answer = await client.post(
                    f"{self._address}/alerts/alertmanager",
                    json=notification(sent_alert(f"Alert{number}", service=f"service-{number % 3}")),
                    headers={"authorization": f"Bearer {self._token}"},
                )
                assert answer.status_code == 202, answer.text
                longest = max(longest, time.monotonic() - began)
                assert (await client.get(f"{self._address}/healthz")).status_code == 200
            await asyncio.sleep(0.1)
        return longest

    async def is_ready(self) -> bool:
        """Whether it says so within the bound."""
        async with httpx.AsyncClient(trust_env=False, timeout=BOUND_SECONDS) as client:
            return (await client.get(f"{self._address}/readyz")).status_code == 200

    async def shed(self) -> dict[str, float]:
        """How many connections it has ended, by reason."""
        async with httpx.AsyncClient(trust_env=False, timeout=BOUND_SECONDS) as client:
            lines = (await client.get(f"{self._address}/metrics")).text.splitlines()
        prefix = 'runbook_connections_shed_total{reason="'
        found = [line.removeprefix(prefix).split('"} ') for line in lines if line.startswith(prefix)]
        return {reason: float(number) for reason, number in found}

    def events(self) -> list[dict[str, str]]:
        """The lines of its log."""
        return [json.loads(line) for line in self.process.log.read_text().splitlines()]

    def may_open(self, files: int) -> None:
        """Have the operating system allow it so many files from now on."""
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (files, FILES))

    def open_files(self) -> int:
        """How many it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@asynccontextmanager
async def receiving(config: Path, token: str) -> AsyncIterator[Receiver]:
    """A receiver that may open few files, whose Prefect is away."""
    port = free_port()
    command = (
        f"ulimit -n {FILES}; exec {sys.executable} -m deployments.receiver --config {config} --port {port}"
    )
    environment = {**foreign_settings_removed(os.environ)}
    process = await Process.start(
        "The receiver",
        ["bash", "-c", command],
        log=config.parent / "receiver.log",
        environment=environment | {"PREFECT_API_URL": "http://127.0.0.1:1/api"},
    )
    try:
        await until_answers(f"http://127.0.0.1:{port}/readyz", process)
        yield Receiver(process, port, token)
    finally:
        await process.stop()


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    """A receiver that takes alerts of Alertmanager, and signed ones."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    (tmp_path / "runbook.toml").write_text(
        '[receiver]\ntoken = { file = "token" }\n[receiver.pagerduty]\nsecrets = [{ file = "token" }]\n'
    )
    async with receiving(tmp_path / "runbook.toml", "a-token-of-some-length") as one:
        yield one


@asynccontextmanager
async def attacked(port: int, kind: str, clients: int) -> AsyncIterator[None]:
    """So many attackers at a receiver."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.deployments.attackers", str(port), kind, str(clients)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"attacking\n"
        yield
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("kind", ATTACKS)
async def test_no_alert_is_kept_out_by_sixty_who_are_in_the_way(receiver: Receiver, kind: str) -> None:
    """Each alert is taken within the bound, over a new connection, and so is the question for its health."""
    async with attacked(receiver.port, kind, 60):
        longest = await receiver.takes_alerts(for_seconds=2)
        assert await receiver.is_ready()
    print(f"{kind}: {longest:.2f} s, {await receiver.shed()}")
    assert not [line for line in receiver.events() if line["level"] == "error"]


async def test_no_alert_is_kept_out_by_six_hundred_who_are_in_the_way(receiver: Receiver) -> None:
    """Many times as many as there are places, who come again as soon as they are thrown out."""
    async with attacked(receiver.port, "all", 600):
        longest = await receiver.takes_alerts(for_seconds=5)
        assert await receiver.is_ready()
    print(f"{longest:.2f} s, {await receiver.shed()}")
    assert (await receiver.shed())["in the way"] > 100
    assert not [line for line in receiver.events() if line["level"] == "error"]


async def test_a_known_sender_keeps_its_line(receiver: Receiver) -> None:
    """It goes on sending over the connection that it has, as if nobody were there."""
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{receiver.port}", trust_env=False) as client,
        attacked(receiver.port, "half_open", 600),
    ):
        connections = set()
        for number in range(30):
            answer = await client.post(
                "/alerts/alertmanager",
                json=notification(sent_alert(f"Alert{number}")),
                headers={"authorization": "Bearer a-token-of-some-length"},
            )
            assert answer.status_code == 202
            connections.add(id(answer.extensions["network_stream"]))
            await asyncio.sleep(0.05)
    assert len(connections) == 1


async def test_the_receiver_goes_on_where_the_system_gives_it_no_file(receiver: Receiver) -> None:
    """Somebody lowers the limit below what is open: places are given up, and alerts are taken again."""
    before = receiver.open_files()
    async with attacked(receiver.port, "half_open", 60):
        receiver.may_open(before + 16)
        await receiver.takes_alerts(for_seconds=3)
        assert await receiver.is_ready()
    assert (await receiver.shed())["no more files"] > 0


async def eventually(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what the world has seen, which sets no event
            await asyncio.sleep(0.1)


async def test_the_receivers_own_work_goes_on_under_attack(tmp_path: Path) -> None:
    """Its watchdog finds a run that has stopped, and calls a person; its store is read and written."""
    async with World(load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False) as world:
        url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
        config = write_settings(world.endpoints, tmp_path, store_url=url, evidence=tmp_path / "evidence")
        store, at = IncidentStore(url=SecretStr(url)), datetime.now(UTC) - timedelta(minutes=10)
        alert = Alert(source="test", service="posthog-integration", name="n", summary="it burns")
        incident, _ = await store.open_incident(alert, incident_id="inc-20260301-100000-0001", at=at)
        await store.append(incident.id, RunStarted(flow_run_id=RUN), at=at, key=f"run:{RUN}")
        token = world.endpoints.alert_token.get_secret_value()
        async with receiving(config, token) as receiver, attacked(receiver.port, "all", 600):
            sending = asyncio.create_task(receiver.takes_alerts(for_seconds=8))
            await eventually(lambda: bool(world.requests("pagerduty", None)))
            await sending
            print(receiver.open_files(), await receiver.shed())
        assert not [line for line in receiver.events() if line["level"] == "error"]
    paged = [request["body"]["payload"]["summary"] for request in world.requests("pagerduty", None)]
    assert any("its run has stopped, and Prefect does not answer" in summary for summary in paged)


def test_a_limit_of_files_that_is_too_low_is_one_line(tmp_path: Path) -> None:
    """The program ends with 1 and says what to set, rather than to fail under the first load."""
    (tmp_path / "runbook.toml").touch()
    command = f"ulimit -n 32; exec {sys.executable} -m deployments.receiver --config {tmp_path}/runbook.toml"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("this process may open only 32 files: raise the limit, `ulimit -n ")
    assert ended.stderr.count("\n") == 1
