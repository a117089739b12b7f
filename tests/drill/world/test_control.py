"""The drill's handle on a world: what was sent, what is true, and the alert."""

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster import RecordedRequest
from deployments.drill.run.scenario import load_scenario
from deployments.drill.world.clock import utc_now
from deployments.drill.world.endpoints import Endpoints
from deployments.drill.world.keys import Keys
from deployments.drill.world.state import cluster_requests
from deployments.drill.world.world import World

WITHIN_SECONDS = 8.0


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """Run a world in order and give a client of its control server."""
    async with (
        World(load_scenario("false-alarm"), tmp_path, real_prometheus=False) as world,
        httpx.AsyncClient(base_url=world.endpoints.control_url, timeout=10) as client,
    ):
        yield world, client


def secrets_of(endpoints: Endpoints) -> list[str]:
    """Return every secret in a world's endpoints."""
    revealed = json.loads(endpoints.model_dump_json())
    masked = endpoints.model_dump(mode="python")
    return [revealed[name] for name, value in masked.items() if hasattr(value, "get_secret_value")]


async def test_state_and_requests_hold_no_credential(control: tuple[World, httpx.AsyncClient]) -> None:
    """What the control server tells, and the endpoints' repr, show none of the world's secrets."""
    world, client = control
    slack = {"Authorization": f"Bearer {world.endpoints.slack_token.get_secret_value()}"}
    await client.post(f"{world.endpoints.slack_url}auth.test", headers=slack)
    event = {
        "routing_key": world.endpoints.pagerduty_routing_key.get_secret_value(),
        "event_action": "trigger",
    }
    await client.post(world.endpoints.pagerduty_url, json=event)
    await client.post(world.endpoints.slack_webhook_url.get_secret_value(), json={"text": "hello"})
    told = (await client.get("/state")).text + (await client.get("/requests")).text + repr(world.endpoints)
    secrets = secrets_of(world.endpoints)
    assert len(secrets) >= 10
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_a_key_in_a_request_to_the_cluster_is_named(field: str) -> None:
    """A key of the world, plain or in base64, shows by its name alone; another one shows as it was sent."""
    keys = Keys.generated(random.Random(7))  # noqa: S311  repeatable on purpose
    key = keys.replacement_project_key.get_secret_value()
    sent = base64.b64encode(key.encode()).decode() if field == "data" else key
    body = {field: {"api-key": sent, "colour": "blue"}}
    request = RecordedRequest(
        at=utc_now(), method="PATCH", path="/api/v1/secrets", query={}, user="u", body=body
    )
    (told,) = cluster_requests([request], keys)
    assert told["body"] == {field: {"api-key": "<replacement_project_key>", "colour": "blue"}}


async def test_requests_of_all_systems_are_told_in_order(control: tuple[World, httpx.AsyncClient]) -> None:
    """The record covers the cluster too, can be narrowed to a system and a time, and names the caller."""
    world, client = control
    await client.get(f"{world.endpoints.status_page_url}/api/v1/summary")
    since = world.clock().isoformat()
    await client.get(f"{world.endpoints.posthog_app_url}/_livez")
    requests = (await client.get("/requests")).json()
    assert [request["at"] for request in requests] == sorted(request["at"] for request in requests)
    assert {"status_page", "posthog", "integration"} <= {request["system"] for request in requests}
    narrowed = (await client.get("/requests", params={"system": "status_page"})).json()
    assert [request["path"] for request in narrowed] == ["/api/v1/summary"]
    later = (await client.get("/requests", params={"system": "status_page", "since": since})).json()
    assert later == []
    callers = {r["authenticated_as"] for r in requests if r["path"] == "/flags"}
    assert callers == {"project key"}


async def test_faults_change_at_run_time(control: tuple[World, httpx.AsyncClient]) -> None:
    """A patch takes effect at once and shows in the state; ending it ends the errors."""
    _, client = control
    patched = await client.post("/fault", json={"posthog": {"outage": {"share": 1.0, "status": 502}}})
    assert patched.json()["faults"]["posthog"]["outage"]["status"] == 502
    deadline = time.monotonic() + WITHIN_SECONDS
    errors: dict[str, float] = {}
    while time.monotonic() < deadline and set(errors) != {"502"}:
        errors = (await client.get("/state")).json()["integration"]["per_second"]["errors"]
        await asyncio.sleep(0.1)
    assert set(errors) == {"502"}
    ended = await client.post("/fault", json={"posthog": {"outage": None}})
    assert ended.json()["faults"]["posthog"]["outage"] is None


async def test_the_runbooks_token_can_expire_and_come_back(control: tuple[World, httpx.AsyncClient]) -> None:
    """An expired cluster token gets 401 until the fault is taken away."""
    world, client = control
    token = world.keys.kubernetes_token.get_secret_value()
    statuses = []
    async with httpx.AsyncClient(verify=False) as cluster:  # noqa: S501  the certificate is not the matter here
        for expired in (False, True, False):
            await client.post("/fault", json={"cluster": {"expired_token": expired}})
            path = f"{world.endpoints.kubernetes_url}/api/v1/namespaces/default/pods"
            statuses.append(
                (await cluster.get(path, headers={"Authorization": f"Bearer {token}"})).status_code
            )
    assert statuses == [200, 401, 200]


@pytest.mark.parametrize(
    "mode", ["slack", "statuspage_api", "incident_io", "pagerduty", "integration", "prometheus"]
)
async def test_any_system_can_be_out_of_reach(control: tuple[World, httpx.AsyncClient], mode: str) -> None:
    """Each outside system drops its connections when told to, and only that one."""
    world, client = control
    urls = {
        "slack": world.endpoints.slack_url,
        "statuspage_api": world.endpoints.statuspage_url,
        "incident_io": world.endpoints.incident_io_url,
        "pagerduty": world.endpoints.pagerduty_url,
        "integration": world.endpoints.integration_url,
        "prometheus": world.endpoints.prometheus_url,
    }
    await client.post("/fault", json={mode: {"mode": "closed"}})
    unreachable = set()
    for system, url in urls.items():
        try:
            await client.get(url)
        except httpx.TransportError:
            unreachable.add(system)
    assert unreachable == {mode}


async def test_an_answer_can_be_lost_after_the_effect(control: tuple[World, httpx.AsyncClient]) -> None:
    """The message is in Slack though its sender saw the connection drop, so it must look before repeating."""
    world, client = control
    await client.post("/fault", json={"slack": {"mode": "lost"}})
    slack = {"Authorization": f"Bearer {world.endpoints.slack_token.get_secret_value()}"}
    body = {"channel": world.endpoints.slack_channel, "text": "down"}
    with pytest.raises(httpx.TransportError):
        await client.post(f"{world.endpoints.slack_url}chat.postMessage", json=body, headers=slack)
    assert (await client.get("/state")).json()["slack_messages"] == 1
    (posted,) = (await client.get("/requests", params={"system": "slack"})).json()
    assert (posted["authenticated_as"], posted["status"]) == ("runbook bot", None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/fault", {"weather": {}}, 422),
        ("/fault", {"posthog": {"outage": {"share": 2}}}, 422),
        ("/fault", [], 400),
        ("/alert", {}, 422),
        ("/alert", {"url": "http://127.0.0.1:1/alerts"}, 502),
    ],
)
async def test_a_senseless_order_changes_nothing(
    control: tuple[World, httpx.AsyncClient], path: str, body: Any, status: int
) -> None:
    """The control server names the mistake and leaves the world as it was."""
    before = (await control[1].get("/state")).json()["faults"]
    answer = await control[1].post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert (await control[1].get("/state")).json()["faults"] == before


async def test_the_alert_arrives_as_alertmanager_sends_it(
    control: tuple[World, httpx.AsyncClient], httpserver: HTTPServer
) -> None:
    """The payload is version 4 with a bearer token; firing and resolved share their fingerprint."""
    world, client = control
    httpserver.expect_request("/alerts", method="POST").respond_with_json({"incidents": ["one"]}, status=202)
    order = {"url": httpserver.url_for("/alerts")}
    answers = [
        (await client.post("/alert", json=order | {"status": status})).json()
        for status in ("firing", "resolved")
    ]
    assert answers == [{"status": 202, "body": {"incidents": ["one"]}}] * 2
    (firing, resolved) = [request.json for request, _ in httpserver.log]
    token = world.endpoints.alert_token.get_secret_value()
    assert httpserver.log[0][0].headers["Authorization"] == f"Bearer {token}"
    assert (firing["version"], firing["status"], resolved["status"]) == ("4", "firing", "resolved")
    assert firing["commonLabels"]["alertname"] == "PostHogErrorsHigh"
    assert firing["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert resolved["alerts"][0]["endsAt"] > firing["alerts"][0]["startsAt"]
    assert firing["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
