"""Two environments on one store, in a real Prefect: a receiver responds for both, each by its own policy."""

import hmac
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import get_client

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from deployments.cli.doctor.other_environments import other_environments
from deployments.cli.doctor.rows import State
from deployments.prefect.configure import Registration, configure
from deployments.prefect.server import PrefectServer
from deployments.services.environments import load_environment
from deployments.settings.settings import Settings, check_settings, load_settings
from runbook.approvals.identity import Proof
from runbook.channels.buttons import Button, ButtonKind
from runbook.incidents.events import LeadAssigned, RunStarted
from runbook.incidents.incident import Incident
from tests.deployments.people_bench import SETTINGS, TOKENS, receiver_process
from tests.fixtures.eventually import eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

OWN = """
[prefect]
work_pool = "without-a-worker"
[integration]
health_url = "http://127.0.0.1:1/health"
[receiver.plain]
token = { file = "alerts.token" }
[services."posthog-integration"]
environment = "default"
[services."checkout"]
environment = "shop"
"""
CHAT = """
[receiver.slack]
signing_secret = { file = "slack.secret" }
"""
ALERTS = "t" * 40
SIGNING = "s" * 32
IN_SLACK = "U0BOB"


def bearer(token: str) -> dict[str, str]:
    """A token as a header."""
    return {"authorization": f"Bearer {token}"}


def taken_in_slack(incident: str, account: str) -> dict[str, Any]:
    """A click on "Take the lead", as Slack would sign and send it."""
    button = Button(kind=ButtonKind.TAKE, incident=incident)
    payload = {
        "type": "block_actions",
        "user": {"id": account},
        "trigger_id": "1.2.abc",
        "actions": [{"action_id": button.action_id, "value": button.value, "action_ts": f"1.{account}"}],
    }
    body, at = urlencode({"payload": json.dumps(payload)}), str(int(time.time()))
    signature = hmac.new(SIGNING.encode(), f"v0:{at}:{body}".encode(), "sha256").hexdigest()
    headers = {
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={signature}",
        "content-type": "application/x-www-form-urlencoded",
    }
    return {"content": body, "headers": headers}


def leads(incident: Incident) -> list[LeadAssigned]:
    """Who was said to lead it."""
    return incident.events(LeadAssigned)


def shop_settings(folder: Path, store: str = "incidents.db") -> Settings:
    """The other environment: only bob may act there."""
    tables = {
        "prefect": {"environment": "shop", "work_pool": "without-a-worker"},
        "store": {"url": f"sqlite+aiosqlite:///{store}"},
        "integration": {"health_url": "http://127.0.0.1:1/health"},
        "policy": {
            "service": "checkout",
            "acts": {"approvers": ["bob"]},
            "people": {"bob": {"logins": [IN_SLACK]}},
        },
    }
    return check_settings(tables, origin=folder / "shop.toml")


@pytest.mark.usefixtures("prefect_api")
async def test_an_environment_has_to_be_saved_with_the_same_store(tmp_path: Path) -> None:
    """Else it is not responded for, and one line says why."""
    elsewhere = shop_settings(tmp_path, "others.db")
    with pytest.raises(Refused, match=r"environment 'unsaved' has no .* block"):
        await load_environment("unsaved", elsewhere.store_url)
    await configure(elsewhere, only_blocks=True)
    with pytest.raises(Refused, match="environment 'shop' has another incident store than this one"):
        await load_environment("shop", shop_settings(tmp_path).store_url)
    await configure(shop_settings(tmp_path), only_blocks=True)
    (tmp_path / "alerts.token").write_text(ALERTS)
    (tmp_path / "runbook.toml").write_text(OWN + '[store]\nurl = "sqlite+aiosqlite:///incidents.db"\n')
    [row] = await other_environments(tmp_path / "runbook.toml")
    assert (row.system, row.state, row.next_step) == ("environment shop", State.OK, ""), row
    (tmp_path / "runbook.toml").write_text(OWN)
    [row] = await other_environments(tmp_path / "runbook.toml")
    assert (row.state, "another incident store" in row.detail) == (State.WRONG, True), row
    found = await load_environment("shop", shop_settings(tmp_path).store_url)
    assert (found.name, found.runbook_policy.policy.service) == ("shop", "checkout")


@pytest.mark.usefixtures("prefect_api")
async def test_saving_only_blocks_leaves_the_deployments(tmp_path: Path) -> None:
    """Their schedules and forms stay those of the first environment."""
    (tmp_path / "alerts.token").write_text(ALERTS)
    (tmp_path / "runbook.toml").write_text(OWN)
    await configure(load_settings(tmp_path / "runbook.toml"))
    changes = await configure(shop_settings(tmp_path), only_blocks=True)
    assert {change.kind for change in changes} == {"block"}
    async with get_client() as client:
        deployment = await client.read_deployment_by_name("respond/respond")
    assert deployment.parameters["environment"] == "default"


@pytest.mark.usefixtures("prefect_api")
async def test_housekeeping_is_scheduled_for_each_environment_that_is_saved(tmp_path: Path) -> None:
    """So that its evidence is collected, and what is old removed, also while no receiver looks."""
    (tmp_path / "alerts.token").write_text(ALERTS)
    (tmp_path / "runbook.toml").write_text(OWN.replace("shop", "books"))
    settings = load_settings(tmp_path / "runbook.toml")
    await configure(settings)
    assert await scheduled("clean-up/clean-up") == [""]
    (tmp_path / "runbook.toml").write_text(OWN)
    settings = load_settings(tmp_path / "runbook.toml")
    await configure(shop_settings(tmp_path), only_blocks=True)
    changed = [each.name for each in await configure(settings) if each.outcome is Registration.UPDATED]
    assert {"clean-up/clean-up", "watchdog/watchdog", "remind/remind"} <= set(changed)
    assert await scheduled("clean-up/clean-up") == ["", "shop"]
    assert {each.outcome for each in await configure(settings)} == {Registration.UNCHANGED}


async def scheduled(name: str) -> list[str]:
    """The environments that a deployment's schedules name."""
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(name)
    return sorted(str(each.parameters.get("environment", "")) for each in deployment.schedules)


async def test_its_incident_is_run_and_acted_upon_by_its_own_policy(
    prefect_api: PrefectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run is started with its environment; who may act there, may, and nobody else."""
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", prefect_api.access.password)
    (tmp_path / "alerts.token").write_text(ALERTS)
    for name, token in TOKENS.items():
        (tmp_path / f"{name}.token").write_text(token)
    (tmp_path / "slack.secret").write_text(SIGNING)
    (tmp_path / "runbook.toml").write_text(SETTINGS + OWN + CHAT)
    await configure(load_settings(tmp_path / "runbook.toml"))
    await configure(shop_settings(tmp_path), only_blocks=True)
    store = IncidentStore(url=shop_settings(tmp_path).store_url)
    with receiver_process(tmp_path, prefect_api.api_url, OWN + CHAT) as receiver:
        async with httpx.AsyncClient(base_url=receiver.url, trust_env=False, timeout=30) as client:

            async def served() -> str:
                environments = (await client.get("/readyz")).json()["environments"]
                return "served" if environments["served"] else receiver.log()

            await eventually(served, lambda told: told == "served")
            alert = {"service": "checkout", "name": "CartIsSlow", "summary": "x"}
            told = (await client.post("/alerts/plain", json=alert, headers=bearer(ALERTS))).json()
            [incident] = [each["id"] for each in told["incidents"]]
            found = await eventually(lambda: store.read(incident), lambda it: it.last(RunStarted) is not None)
            path = f"/api/incidents/{incident}/lead"
            answers = {
                name: await client.post(path, json={}, headers=bearer(TOKENS[name]))
                for name in ("ana", "bob")
            }
            for account in ("U0STRANGER", IN_SLACK):
                click = await client.post("/slack/interactions", **taken_in_slack(incident, account))
                assert click.status_code == 200, click.text
            led = await eventually(
                lambda: store.read(incident),
                lambda it: any(each.identity and each.identity.how is Proof.SLACK for each in leads(it)),
            )
            listed = (await client.get("/api/incidents", headers=bearer(TOKENS["ana"]))).json()["incidents"]
    started = found.last(RunStarted)
    assert started is not None
    async with get_client() as prefect:
        run = await prefect.read_flow_run(UUID(started.flow_run_id))
        await prefect.delete_flow_run(run.id)  # other tests' workers must not find it
    assert (found.environment, run.parameters["environment"]) == ("shop", "shop")
    assert {each.by for each in leads(led)} == {"bob"}
    assert answers["bob"].status_code == 200, answers["bob"].text
    assert answers["ana"].status_code in (403, 422), answers["ana"].text
    assert [each["environment"] for each in listed if incident in each.values()] == ["shop"]
