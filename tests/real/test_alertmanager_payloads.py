"""What a real Alertmanager sends is what the recorded payloads say that it sends.

`RUNBOOK_RECORD_PAYLOADS=1` records them anew.
"""

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources import SOURCES
from tests.conftest import require_binary
from tests.fixtures.eventually import eventually

RECORDED = Path(__file__).parents[1] / "data" / "alerts" / "alertmanager"
LABELS = [
    {"alertname": "PostHogErrorsHigh", "service": "posthog-integration", "severity": "P2"},
    {"alertname": "PostHogUnreachable", "service": "posthog-integration", "severity": "P1"},
]

pytestmark = pytest.mark.real


class Webhook:
    """What the webhook at that address has been sent."""

    def __init__(self, server: HTTPServer) -> None:
        self.received: list[Any] = []
        self.url = server.url_for("/alerts/alertmanager")
        server.expect_request("/alerts/alertmanager", method="POST").respond_with_handler(self._take)

    async def told(self, status: str) -> Any:
        """The first notification with that status."""

        async def heard() -> list[Any]:
            return [payload for payload in self.received if payload["status"] == status]

        return (await eventually(heard, bool))[0]

    def _take(self, request: Request) -> Response:
        self.received.append(json.loads(request.get_data()))
        return Response(status=202)


@pytest.fixture
def webhook(httpserver: HTTPServer) -> Webhook:
    """A receiver of ours."""
    return Webhook(httpserver)


@pytest.fixture
async def alertmanager(webhook: Webhook, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A real Alertmanager that sends to the webhook, and a client of its API."""
    config = {
        "route": {
            "receiver": "posthog-runbook",
            "group_by": ["service"],
            "group_wait": "1s",
            "group_interval": "1s",
        },
        "receivers": [{"name": "posthog-runbook", "webhook_configs": [{"url": webhook.url}]}],
    }
    (tmp_path / "alertmanager.yml").write_text(json.dumps(config))
    address = f"127.0.0.1:{free_port()}"
    command = [
        require_binary("prometheus-alertmanager"),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
        "--web.external-url=http://alertmanager.example:9093",
        "--web.route-prefix=/",
        "--cluster.listen-address=",  # no gossip
    ]
    process = await Process.start("alertmanager", command, log=tmp_path / "log", environment=os.environ)
    try:
        await until_answers(f"http://{address}/-/ready", process)
        async with httpx.AsyncClient(base_url=f"http://{address}/api/v2") as client:
            yield client
    finally:
        await process.stop()


async def post(client: httpx.AsyncClient, **fields: str) -> None:
    """Send both alerts as Prometheus does."""
    alerts = [
        {
            "labels": labels,
            "annotations": {"summary": "Calls to PostHog fail", "description": "See the dashboard"},
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
            **fields,
        }
        for labels in LABELS
    ]
    (await client.post("/alerts", json=alerts)).raise_for_status()


def missing(recorded: Any, sent: Any, at: str = "$") -> list[str]:
    """Where what is sent lacks a recorded field, or has another type; newer releases may add fields."""
    if type(recorded) is not type(sent):
        return [at]
    if isinstance(recorded, dict):
        inner = [(f"{at}.{name}", value, sent.get(name)) for name, value in recorded.items()]
    elif isinstance(recorded, list):
        inner = [(f"{at}[]", one, other) for one, other in zip(recorded, sent, strict=True)]
    else:
        inner = []
    return [place for where, one, other in inner for place in missing(one, other, where)]


def as_recorded(name: str, payload: Any) -> None:
    """Asserts that the payload has all that the recorded one has."""
    path = RECORDED / f"{name}.json"
    if os.environ.get("RUNBOOK_RECORD_PAYLOADS") == "1":
        path.write_text(json.dumps(payload, indent=2) + "\n")
    assert missing(json.loads(path.read_text()), payload) == []


def read(payload: Any) -> list[Alert]:
    """The alerts of the payload."""
    return SOURCES["alertmanager"].translate(payload, "")


async def test_a_real_alertmanager_sends_what_is_recorded(
    alertmanager: httpx.AsyncClient, webhook: Webhook
) -> None:
    """Firing and resolved notifications have the recorded fields; an alert keeps identity and start."""
    started = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    ended = started + timedelta(minutes=4)
    await post(alertmanager, startsAt=started.isoformat())
    firing = await webhook.told("firing")
    await post(alertmanager, startsAt=started.isoformat(), endsAt=ended.isoformat())
    resolved = await webhook.told("resolved")

    as_recorded("firing", firing)
    as_recorded("resolved", resolved)
    fires, ends = read(firing), read(resolved)
    assert [alert.labels for alert in fires] == LABELS
    assert {alert.status for alert in fires} == {AlertStatus.FIRING}
    assert {(alert.starts_at, alert.changed_at) for alert in fires} == {(started, started)}
    assert {alert.status for alert in ends} == {AlertStatus.RESOLVED}
    assert {(alert.starts_at, alert.changed_at) for alert in ends} == {(started, ended)}
    assert [alert.key for alert in fires] == [alert.key for alert in ends]
