"""Sentry's metric alerts come in signed, and open and end an incident's alert."""

import hmac
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver.settings import ReceiverSettings
from runbook.decision.severity import Severity
from tests.deployments.receiver_bench import Prefect, serving

SECRET = "the-client-secret-of-the-integration"
RECORDED = Path(__file__).parents[2] / "data" / "alerts" / "sentry"


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook."""
    return {"sentry-hook-signature": hmac.new(secret.encode(), body, "sha256").hexdigest()}


async def test_a_metric_alert_opens_an_incident_and_ends(store: IncidentStore) -> None:
    """Critical opens the project's incident, resolved ends its only alert; a wrong signature is refused."""
    config = ReceiverSettings.model_validate({"sentry": {"secret": SECRET}})
    critical, resolved = (
        (RECORDED / f"metric_alert_{action}.json").read_bytes() for action in ("critical", "resolved")
    )
    async with serving(store, Prefect(), config) as client:
        forged = await client.post("/alerts/sentry", content=critical, headers=signed(critical, "another"))
        assert forged.status_code == 401
        opened = await client.post("/alerts/sentry", content=critical, headers=signed(critical))
        assert opened.status_code == 202
        [named] = opened.json()["incidents"]
        ended = await client.post("/alerts/sentry", content=resolved, headers=signed(resolved))
        assert ended.status_code == 202
        page = (await client.get("/docs")).text
    incident = await store.read(named["id"])
    assert (incident.service, incident.alert.severity) == ("posthog-integration", Severity.P2)
    assert incident.alert.summary == "1000 events in the last 10 minutes"
    assert incident.alerts_over
    assert "Sentry-Hook-Signature" in page
