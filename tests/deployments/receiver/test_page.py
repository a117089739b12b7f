"""What the receiver says of itself: its description, the page for people and its metrics."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from runbook.alerts.sources import SOURCES
from tests.deployments.receiver_bench import Prefect, notification, post, sent_alert, serving


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running receiver."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    async with serving(store, Prefect()) as connected:
        yield connected


async def test_the_description_has_a_path_for_each_source(client: httpx.AsyncClient) -> None:
    """What a source sends, how it proves itself and which answers it gets."""
    described = (await client.get("/openapi.json")).json()
    for name in SOURCES:
        operation = described["paths"][f"/alerts/{name}"]["post"]
        assert operation["description"].startswith("Proof: ")
        assert {"200", "202", "401", "413", "422", "503"} <= set(operation["responses"])


async def test_the_page_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    """It opens in a network without a way out, and without scripts."""
    page = (await client.get("/docs")).text
    assert all(f"/alerts/{name}" in page for name in SOURCES)
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


async def test_the_description_begins_with_the_sources_of_alerts(client: httpx.AsyncClient) -> None:
    """Who opens it wants to send alerts; what operators ask comes last."""
    paths = list((await client.get("/openapi.json")).json()["paths"])
    assert paths[: len(SOURCES)] == [f"/alerts/{name}" for name in SOURCES]
    page = (await client.get("/docs")).text
    assert page.index("/alerts/plain</code>") < page.index("/healthz</code>")


async def test_the_metrics_count_what_became_of_each_message(client: httpx.AsyncClient) -> None:
    """Opened, joined, repeated, refused by reason, and how long it took."""
    await post(client, notification(sent_alert("A"), sent_alert("B")))
    await post(client, notification(sent_alert("A")))
    await client.post("/alerts/grafana", json={}, headers={"authorization": "Bearer guessed"})
    lines = set((await client.get("/metrics")).text.splitlines())
    assert {
        'runbook_notifications_accepted_total{source="alertmanager"} 2.0',
        'runbook_alerts_total{source="alertmanager",turn="began"} 2.0',
        'runbook_alerts_total{source="alertmanager",turn="repeated"} 1.0',
        'runbook_incidents_opened_total{source="alertmanager"} 1.0',
        'runbook_alerts_joined_total{source="alertmanager"} 1.0',
        'runbook_notifications_refused_total{reason="unauthenticated",source="grafana"} 1.0',
        'runbook_notification_seconds_count{source="alertmanager"} 2.0',
        "runbook_intake_queue_messages 0.0",
        "runbook_runs_waiting_for_approval 0.0",
    } <= lines
