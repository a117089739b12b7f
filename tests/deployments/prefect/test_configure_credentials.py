"""Credentials in Prefect: a run gets them, its API and UI show none, and no evidence does."""

from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client

from blocks.environment import Environment
from deployments.prefect.configure import Registration, configure
from deployments.settings.settings import Settings, check_settings
from tasks.secrets import redactor

CANARY = "canary0Q7zX4bV9nM2kL8"
SHOWING = ("status_page", "integration", "prometheus")

pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a secret in each place that there is for one."""
    for number in (*range(1, 7), 9):
        monkeypatch.setenv(f"SECRET_{number}", f"{number}{CANARY}")
    monkeypatch.setenv("PROXY", f"http://me:7{CANARY}@proxy.example:3128")
    monkeypatch.setenv("STORE", f"postgresql+psycopg://me:8{CANARY}@db.example/runbook")
    name = tmp_path.name.replace("_", "-").strip("-").lower()
    tables: dict[str, Any] = {
        "prefect": {"environment": name, "work_pool": name},
        "store": {"url": {"env": "STORE"}},
        "integration": {"health_url": "http://127.0.0.1:1/health", "bearer_token": {"env": "SECRET_1"}},
        "status_page": {
            "headers": {"X-Who": "production", "X-Api-Key": {"env": "SECRET_2"}},
            "proxy": {"env": "PROXY"},
        },
        "email": {
            "host": "smtp.example.com",
            "username": "runbook",
            "password": {"env": "SECRET_9"},
            "sender": "runbook@example.com",
            "to": ["incidents@example.com"],
        },
        "prometheus": {
            "url": "http://127.0.0.1:1",
            "backup_urls": ["http://127.0.0.1:2"],
            "username": "me",
            "password": {"env": "SECRET_3"},
            "credentials": {
                "http://127.0.0.1:2": {
                    "headers": {"X-Other": {"env": "SECRET_4"}, "X-Api-Key": {"env": "SECRET_5"}},
                    "bearer_token": {"env": "SECRET_6"},
                }
            },
        },
    }
    return check_settings(tables, origin=tmp_path / "runbook.toml")


async def test_a_run_gets_the_credentials(wanted: Settings) -> None:
    """All of them, as the settings say; configuring again finds them unchanged."""
    await configure(wanted, deployments=[])
    changes = await configure(wanted, deployments=[])
    loaded = await Environment.load(wanted.prefect.environment)
    assert {change.outcome for change in changes} == {Registration.UNCHANGED}
    assert loaded.integration.request_headers() == {"Authorization": f"Bearer 1{CANARY}"}
    assert loaded.status_page.request_headers() == {"X-Who": "production", "X-Api-Key": f"2{CANARY}"}
    assert loaded.prometheus.request_headers().keys() == {"Authorization"}
    assert loaded.prometheus.credentials_for("http://127.0.0.1:2/x").request_headers() == {
        "X-Other": f"4{CANARY}",
        "X-Api-Key": f"5{CANARY}",
        "Authorization": f"Bearer 6{CANARY}",
    }


async def test_prefects_api_shows_no_credential(wanted: Settings) -> None:
    """The UI reads the documents as they are answered here."""
    await configure(wanted, deployments=[])
    async with get_client() as client:
        answer = await client._client.post("/block_documents/filter", json={"limit": 200})
    ours = [each for each in answer.json() if each["name"] == wanted.prefect.environment]
    assert len(ours) > len(SHOWING)
    assert CANARY not in str(ours)


async def test_evidence_masks_every_credential(wanted: Settings) -> None:
    """Each by itself, wherever a log repeats it; the name of a tenant stays readable."""
    await configure(wanted, deployments=[])
    mask = await redactor(await Environment.load(wanted.prefect.environment))
    text = " ".join(f"{number}{CANARY}" for number in range(1, 10))
    assert CANARY not in mask.text(text)
    assert mask.text("in production") == "in production"
