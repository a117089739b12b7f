"""From a real scrape to the draft: Prometheus with the project's rules, Alertmanager with its example."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deployments.drill.run.judge import judge
from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from runbook.incidents.events import AlertJoined, PostmortemDrafted
from tests.conftest import require_binary
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

FOLDER = Path(__file__).parents[2] / "deployments" / "prometheus"
FIRING = {"PostHogUnreachable", "PostHogErrorsHigh", "PostHogServerErrors"}

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_an_outage_goes_from_the_scrape_to_the_draft(engine: Engine, tmp_path: Path) -> None:
    """A rule fires, Alertmanager calls the receiver, and the incident runs to its draft."""
    async with (
        case(engine, "posthog-outage", tmp_path) as response,
        alertmanager(response) as alerts,
        prometheus(response, alerts),
    ):
        response.incident_id = await opened(response)
        incident = await response.follow("auto")

        assert incident.alert.source == "alertmanager"
        told = {incident.alert.name, *(event.alert.name for event in incident.events(AlertJoined))}
        assert told
        assert told <= FIRING
        assert judge(incident, response.world.scenario.expect) == []
        drafted = incident.last(PostmortemDrafted)
        assert drafted is not None
        assert incident.alert.summary in draft(drafted.path)


def draft(path: str) -> str:
    """The post-mortem draft."""
    return Path(path).read_text()


async def opened(response: Case) -> str:
    """The id of the incident that the receiver opens."""
    incidents = await eventually(response.store.incidents, bool)
    return incidents[0].id


@asynccontextmanager
async def alertmanager(response: Case) -> AsyncIterator[str]:
    """A real Alertmanager with the project's example, its receiver and token file replaced."""
    folder = response.folder / "alertmanager"
    folder.mkdir()
    config = replaced(
        FOLDER / "alertmanager.example.yml",
        folder / "alertmanager.yml",
        {
            r"http://127\.0\.0\.1:8181/": f"{response.receiver_url}/",
            r"/etc/alertmanager/posthog-runbook\.token": str(response.folder / "secrets" / "alert-token"),
        },
    )
    address = f"127.0.0.1:{free_port()}"
    options = [
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",  # no gossip
    ]
    async with running("prometheus-alertmanager", options, folder, f"http://{address}/-/ready"):
        yield address


@asynccontextmanager
async def prometheus(response: Case, alerts: str) -> AsyncIterator[None]:
    """A real Prometheus with the project's rules and a shorter `for:`, scraping often.

    The `for:` is longer than a busy machine keeps the integration, which is in this process, from answering.
    """
    folder = response.folder / "prometheus"
    folder.mkdir()
    replaced(
        FOLDER / "posthog-integration.rules.yml",
        folder / "posthog-integration.rules.yml",
        {r"for: 1m": "for: 15s"},
    )
    target = response.world.endpoints.integration_url.removeprefix("http://")
    config = replaced(
        FOLDER / "prometheus.example.yml",
        folder / "prometheus.yml",
        {
            r"scrape_interval: 15s": "scrape_interval: 2s",
            r"evaluation_interval: 15s": "evaluation_interval: 1s",
            r"127\.0\.0\.1:9093": alerts,
            r"(?s)dns_sd_configs:.*?port: 9000": f'static_configs:\n      - targets: ["{target}"]',
        },
    )
    address = f"127.0.0.1:{free_port()}"
    options = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--scrape.discovery-reload-interval=100ms",
    ]
    async with running("prometheus", options, folder, f"http://{address}/-/ready"):
        yield


def replaced(source: Path, target: Path, replacements: dict[str, str]) -> Path:
    """A copy of the project's file with these replacements, each of which must hit."""
    text = source.read_text()
    for pattern, value in replacements.items():
        text, count = re.subn(pattern, value, text)
        assert count, pattern
    target.write_text(text)
    return target


@asynccontextmanager
async def running(name: str, options: list[str], folder: Path, ready: str) -> AsyncIterator[None]:
    """A program that runs until the test ends, however that is."""
    command = [require_binary(name), *options]
    process = await Process.start(name, command, log=folder / "log", environment=os.environ)
    try:
        await until_answers(ready, process)
        yield
    finally:
        await process.stop()
