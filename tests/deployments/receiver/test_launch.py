"""Starting a response: one run for an incident, found by its id, and journaled."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from deployments.prefect.configure import configure
from deployments.prefect.server import PrefectServer
from deployments.settings.settings import check_settings
from runbook.alerts.alert import Alert
from runbook.decision.severity import Severity
from runbook.incidents.events import RunStarted
from tasks.caretaking.runs import start_run

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

ALERT = Alert(source="test", service="s", name="n", summary="it burns", severity=Severity.P1)
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


async def test_a_response_is_started_once(
    prefect_api: PrefectServer, store: IncidentStore, tmp_path: Path
) -> None:
    """A repeat, as after a crash between starting and journaling, finds the run of the first time."""
    settings = {
        "prefect": {"work_pool": "without-a-worker"},
        "integration": {"health_url": "http://127.0.0.1:1/health"},
    }
    await configure(check_settings(settings, origin=tmp_path / "runbook.toml"))
    incident, _ = await store.open_incident(
        ALERT, incident_id="inc-20260301-100000-1a57", at=AT, environment="staging"
    )
    first = await start_run(incident, store=store)
    again = await start_run(incident, store=store)
    assert first == again
    async with get_client() as client:
        run = await client.read_flow_run(UUID(first))
        await client.delete_flow_run(run.id)  # other tests' workers must not find it
    assert run.name == incident.id
    assert set(run.tags) >= {"runbook", incident.id}
    assert run.parameters == {
        "service": "s",
        "summary": "it burns",
        "severity": "P1",
        "incident": incident.id,
        "environment": "staging",
    }
    [started] = (await store.read(incident.id)).events(RunStarted)
    assert started == RunStarted(flow_run_id=first, url=f"{prefect_api.ui_url}/runs/flow-run/{first}")


@pytest.mark.usefixtures("prefect_api")
async def test_a_missing_deployment_is_one_line(
    store: IncidentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Prefect that was never configured says what to run."""
    monkeypatch.setattr("tasks.caretaking.runs.DEPLOYMENT", "respond/never-deployed")
    incident, _ = await store.open_incident(ALERT, incident_id="inc-20260301-100000-0000", at=AT)
    with pytest.raises(Refused) as refused:
        await start_run(incident, store=store)
    assert str(refused.value) == (
        "Prefect: there is no deployment respond/never-deployed. Run `runbook configure FILE`"
    )
