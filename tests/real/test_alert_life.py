"""The whole life of an incident's alerts, told by a real Prometheus and a real Alertmanager."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from blocks.store.database.tables import ALERTS
from blocks.store.journal import IncidentStore
from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from runbook.incidents.events import AlertJoined, AlertLeft, AlertsResolved
from runbook.incidents.incident import Incident
from tests.fixtures.eventually import eventually
from tests.real.test_real_input import running

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

TOKEN = "a-token-of-some-length"
SERVICE = "posthog-integration"

RULES = f"""
groups:
  - name: trouble
    rules:
      - alert: Trouble
        expr: trouble > 0
        labels: {{service: {SERVICE}, severity: P2}}
        annotations: {{summary: "there is trouble"}}
"""

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs: [{{job_name: trouble, static_configs: [{{targets: ["{target}"]}}]}}]
"""

ALERTMANAGER = """
route: {{receiver: runbook, group_by: [service], group_wait: 0s, group_interval: 1s, repeat_interval: 1s}}
receivers:
  - name: runbook
    webhook_configs:
      - url: {url}/alerts/alertmanager
        http_config: {{authorization: {{credentials: {token}}}}}
"""


@dataclass
class World:
    """A service with a metric, what watches it, and the receiver; Prefect is away."""

    folder: Path
    port: int
    store: IncidentStore
    trouble: dict[str, int] = field(default_factory=dict)
    receiver: Process | None = None

    async def start_receiver(self) -> None:
        """Start the receiver on the port that Alertmanager calls."""
        config = str(self.folder / "runbook.toml")
        self.receiver = await Process.start(
            "The receiver",
            [sys.executable, "-m", "deployments.receiver", "--config", config, "--port", str(self.port)],
            log=self.folder / "receiver.log",
            environment={**os.environ, "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"},
        )
        await until_answers(f"http://127.0.0.1:{self.port}/healthz", self.receiver)

    def kill_receiver(self) -> None:
        """As a machine that loses power does it."""
        assert self.receiver is not None
        os.kill(self.receiver.pid, signal.SIGKILL)

    async def until(self, holds: Callable[[Incident], bool]) -> Incident:
        """Wait until the one incident is so."""

        async def read() -> list[Incident]:
            return await self.store.incidents()

        [incident] = await eventually(read, lambda found: len(found) == 1 and holds(found[0]))
        return incident

    async def received(self) -> dict[str, int]:
        """How many messages about each kind of trouble were received."""
        # All alerts have the same name; their records are told apart by the label that makes the fingerprint.
        incident = (await self.store.incidents())[0]
        told = [incident.alert, *(event.alert for event in incident.events(AlertJoined))]
        kinds = {alert.fingerprint: alert.labels["kind"] for alert in told}
        rows = await self.store.in_transaction(
            lambda connection: connection.execute(select(ALERTS.c.key, ALERTS.c.received)).all()
        )
        return {kinds[row.key]: row.received for row in rows}


@pytest.fixture
async def world(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[World]:
    """The world, all well."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    one = World(tmp_path, free_port(), store)
    (tmp_path / "token").write_text(TOKEN)
    url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
    (tmp_path / "runbook.toml").write_text(
        '[receiver]\ntoken = { file = "token" }\n[store]\nurl = { file = "store-url" }\n'
    )
    (tmp_path / "store-url").write_text(url)

    def metrics(_: Request) -> Response:
        lines = (f'trouble{{kind="{kind}"}} {value}\n' for kind, value in one.trouble.items())
        return Response("".join(lines), content_type="text/plain; version=0.0.4")

    httpserver.expect_request("/metrics").respond_with_handler(metrics)
    alerts, prometheus = (f"127.0.0.1:{free_port()}" for _ in range(2))
    target = httpserver.url_for("").removeprefix("http://").rstrip("/")
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(alertmanager=alerts, target=target))
    address = f"http://127.0.0.1:{one.port}"
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER.format(url=address, token=TOKEN))
    await one.start_receiver()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            running(
                "prometheus-alertmanager",
                [
                    f"--config.file={tmp_path}/alertmanager.yml",
                    f"--storage.path={tmp_path}/alertmanager",
                    f"--web.listen-address={alerts}",
                    "--cluster.listen-address=",
                ],
                tmp_path / "alertmanager-log",
                f"http://{alerts}/-/ready",
            )
        )
        await stack.enter_async_context(
            running(
                "prometheus",
                [
                    f"--config.file={tmp_path}/prometheus.yml",
                    f"--storage.tsdb.path={tmp_path}/prometheus",
                    f"--web.listen-address={prometheus}",
                ],
                tmp_path / "prometheus-log",
                f"http://{prometheus}/-/ready",
            )
        )
        yield one
    assert one.receiver is not None
    await one.receiver.stop()


def names(incident: Incident) -> list[str]:
    """What the journal tells about alerts, by the label that tells them apart."""
    told: list[str] = []
    for item in incident.journal:
        match item.event:
            case AlertJoined(alert=alert):
                told.append(f"{alert.labels['kind']} joined")
            case AlertLeft():
                told.append("left")
            case AlertsResolved(alerts=alerts):
                told.append(f"all {alerts} over")
    return told


async def test_alerts_fire_repeat_join_resolve_and_fire_again(world: World) -> None:
    """One incident, each turn told once, nothing lost while the receiver is dead."""
    world.trouble["a"] = 1
    opened = await world.until(lambda incident: incident.alert.labels["kind"] == "a")

    async def repeated() -> int:
        return (await world.received())["a"]

    await eventually(repeated, lambda count: count >= 3)
    assert names(await world.until(lambda _: True)) == []

    world.trouble["b"] = 1
    await world.until(lambda incident: names(incident) == ["b joined"])

    world.kill_receiver()
    world.trouble["c"] = 1
    await world.start_receiver()
    await world.until(lambda incident: names(incident) == ["b joined", "c joined"])

    world.trouble.update(a=0, b=0, c=0)
    over = ["b joined", "c joined", "left", "left", "left", "all 3 over"]
    assert (await world.until(lambda incident: names(incident) == over)).alerts_over

    world.trouble["a"] = 1
    again = await world.until(lambda incident: names(incident) == [*over, "a joined"])
    assert not again.alerts_over
    assert again.id == opened.id
