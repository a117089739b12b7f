"""A sender is told why its alert belongs to no incident; the alert is taken all the same."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver.notifications import why_ignored
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.incidents import events as e
from tests.deployments.receiver_bench import AUTHORIZED, CONFIG, Prefect, serving

ALERT = Alert(source="plain", service="checkout", name="CartIsSlow", summary="x")
WITH_AN_INCIDENT = (Meaning.BEGAN,)


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


async def sent(client: httpx.AsyncClient, **changes: str) -> dict[str, Any]:
    """The answer to a plain alert of another service."""
    body = {"service": "checkout", "name": "CartIsSlow", "summary": "x"} | changes
    answer = await client.post("/alerts/plain", json=body, headers=AUTHORIZED)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("meaning", [item for item in Meaning if item not in WITH_AN_INCIDENT] + [None])
@pytest.mark.parametrize("status", AlertStatus)
def test_every_meaning_has_its_reason(meaning: Meaning | None, status: AlertStatus) -> None:
    """Also that of a message which only its status tells apart."""
    assert why_ignored(ALERT.model_copy(update={"status": status}), meaning)


async def test_an_alert_of_another_service_is_taken_and_not_responded_to(store: IncidentStore) -> None:
    """Its sender reads which setting says so."""
    config = CONFIG.model_copy(update={"known_services": ("posthog-integration",)})
    async with serving(store, Prefect(), config) as client:
        for _ in range(2):
            told = await sent(client)
            assert told["incidents"] == []
            [ignored] = told["ignored"]
            assert ignored["reason"] == "checkout is none of [receiver] known_services"
    assert await store.incidents() == []


async def test_the_log_tells_once_of_an_alert_that_is_not_responded_to(
    store: IncidentStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It opens no incident, so no line says that one was opened."""
    config = CONFIG.model_copy(update={"known_services": ("posthog-integration",)})
    caplog.set_level(logging.INFO, "runbook.receiver")
    async with serving(store, Prefect(), config) as client:
        for _ in range(3):
            await sent(client)
    told = [line.getMessage() for line in caplog.records if line.name == "runbook.receiver"]
    assert told == ["alert unrouted"]


async def test_an_alert_that_fires_on_after_a_person_s_end_is_told_so(store: IncidentStore) -> None:
    """Its incident is not reopened for it."""
    async with serving(store, Prefect()) as client:
        [opened] = (await sent(client))["incidents"]
        resolved = e.IncidentResolved(outcome="not_ours", because=("theirs",), by="ana")
        for event in (resolved, e.IncidentClosed(outcome="not_ours")):
            await store.append(opened["id"], event, at=datetime.now(UTC), key=event.journal_key)
        told = await sent(client)
    assert told["incidents"] == []
    assert told["ignored"][0]["reason"] == "a person has ended its incident, and it fires on"
