"""The company's status page, on either vendor, and its pager: real shapes and refusals."""

import random
from typing import Any

import httpx
import pytest

from deployments.drill.world.channels import incident_io as incident_io_api
from deployments.drill.world.channels import statuspage as statuspage_api
from deployments.drill.world.channels.incident_io import IncidentIoApi
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.statuspage import StatuspageApi
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(7))  # noqa: S311  repeatable on purpose
OAUTH = {"Authorization": f"OAuth {KEYS.statuspage_key.get_secret_value()}"}
BEARER = {"Authorization": f"Bearer {KEYS.incident_io_key.get_secret_value()}"}
ROUTING_KEY = KEYS.pagerduty_routing_key.get_secret_value()
INCIDENTS = f"/v1/pages/{statuspage_api.PAGE_ID}/incidents"
CREATED = {
    "status_page_id": incident_io_api.STATUS_PAGE_ID,
    "name": "Analytics delayed",
    "message": "We are looking.",
    "incident_status": "investigating",
    "idempotency_key": "one",
    "notify_subscribers": False,
}


async def test_statuspage_keeps_an_incident_and_its_updates() -> None:
    """An incident is created with 201, found as unresolved, changed, and gone from there once resolved."""
    page = StatuspageApi(KEYS)
    async with listening(page.app) as url, httpx.AsyncClient(base_url=url, headers=OAUTH) as client:
        wanted = {
            "name": "Analytics delayed",
            "status": "investigating",
            "body": "We are looking.",
            "components": {"cmp0analytics": "degraded_performance"},
            "metadata": {"runbook": {"incident": "one"}},
        }
        created = await client.post(INCIDENTS, json={"incident": wanted})
        assert created.status_code == 201
        incident = created.json()
        assert incident["metadata"] == wanted["metadata"]
        assert incident["components"][0]["status"] == "degraded_performance"
        assert [i["id"] for i in (await client.get(f"{INCIDENTS}/unresolved")).json()] == [incident["id"]]
        change = {"incident": {"status": "resolved", "body": "It is over."}}
        changed = (await client.patch(f"{INCIDENTS}/{incident['id']}", json=change)).json()
        assert [update["status"] for update in changed["incident_updates"]] == ["resolved", "investigating"]
        assert changed["resolved_at"] is not None
        assert (await client.get(f"{INCIDENTS}/unresolved")).json() == []


async def test_statuspage_has_no_idempotency() -> None:
    """The same create twice makes two incidents, so a client must look first."""
    page = StatuspageApi(KEYS)
    async with listening(page.app) as url, httpx.AsyncClient(base_url=url, headers=OAUTH) as client:
        for _ in range(2):
            await client.post(INCIDENTS, json={"incident": {"name": "Analytics delayed"}})
    assert len(page.incidents) == 2


@pytest.mark.parametrize(
    ("headers", "method", "path", "body", "status"),
    [
        ({"Authorization": "OAuth wrong"}, "GET", INCIDENTS, None, 401),
        (OAUTH, "GET", "/v1/pages/other/incidents", None, 404),
        (OAUTH, "PATCH", f"{INCIDENTS}/nothing", {"incident": {"status": "resolved"}}, 404),
        (OAUTH, "POST", INCIDENTS, {"incident": {"status": "investigating"}}, 422),
        (OAUTH, "POST", INCIDENTS, {"incident": {"name": "x", "status": "broken"}}, 422),
        (OAUTH, "POST", INCIDENTS, {"name": "x"}, 422),
    ],
)
async def test_statuspage_refuses(
    headers: dict[str, str], method: str, path: str, body: Any, status: int
) -> None:
    """Bad keys, unknown objects and invalid incidents get Statuspage's status and an error."""
    page = StatuspageApi(KEYS)
    async with listening(page.app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        answer = await client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_statuspage_limits_a_token_to_sixty_a_minute() -> None:
    """After sixty requests at once the next get 420."""
    page = StatuspageApi(KEYS)
    async with listening(page.app) as url, httpx.AsyncClient(base_url=url, headers=OAUTH) as client:
        statuses = [(await client.get(f"{INCIDENTS}/unresolved")).status_code for _ in range(100)]
    assert statuses[:60] == [200] * 60
    assert 420 in statuses


async def test_incident_io_creates_once_per_idempotency_key() -> None:
    """A repeated create returns the first incident; updates are added to it."""
    api = IncidentIoApi(KEYS)
    async with listening(api.app) as url, httpx.AsyncClient(base_url=url, headers=BEARER) as client:
        first = (await client.post("/v2/status_page_incidents", json=CREATED)).json()["status_page_incident"]
        again = (await client.post("/v2/status_page_incidents", json=CREATED)).json()["status_page_incident"]
        assert first["id"] == again["id"]
        update = {"status_page_incident_id": first["id"], "message": "Over.", "incident_status": "resolved"}
        await client.post("/v2/status_page_incident_updates", json=update)
        (listed,) = (await client.get("/v2/status_page_incidents")).json()["status_page_incidents"]
    assert [one["incident_status"] for one in listed["updates"]] == ["investigating", "resolved"]


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        ("/v2/status_page_incidents", {"idempotency_key": ""}, "idempotency_key"),
        ("/v2/status_page_incidents", {"incident_status": "broken"}, "incident_status"),
        ("/v2/status_page_incidents", {"status_page_id": "other"}, "status_page_id"),
        ("/v2/status_page_incidents", {"notify_subscribers": None}, "notify_subscribers"),
        (
            "/v2/status_page_incidents",
            {"incident_status": "resolved", "component_statuses": []},
            "component_statuses",
        ),
        ("/v2/status_page_incident_updates", {"status_page_incident_id": "x"}, "status_page_incident_id"),
    ],
)
async def test_incident_io_names_the_invalid_field(path: str, change: dict[str, Any], field: str) -> None:
    """An invalid request gets 422 with the field at fault, and publishes nothing."""
    api = IncidentIoApi(KEYS)
    async with listening(api.app) as url, httpx.AsyncClient(base_url=url, headers=BEARER) as client:
        answer = await client.post(path, json=CREATED | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"]["field"] == field
    assert api.status_page_incidents == []


def event(**changes: Any) -> dict[str, Any]:
    """Return a good trigger event with changes to it."""
    payload = {"summary": "PostHog is down", "source": "runbook", "severity": "critical"}
    return {
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "one",
        "payload": payload,
    } | changes


async def test_a_page_is_opened_once_and_resolved() -> None:
    """Triggers under one key join one page, which a resolve closes; a later trigger opens a new one."""
    pagerduty = PagerDuty(KEYS)
    async with listening(pagerduty.app) as url, httpx.AsyncClient(base_url=url) as client:
        for body in (event(), event(), event(event_action="resolve"), event()):
            answer = await client.post("/v2/enqueue", json=body)
            assert (answer.status_code, answer.json()["dedup_key"]) == (202, "one")
    assert [(page.state, len(page.events)) for page in pagerduty.pages] == [("resolved", 3), ("triggered", 1)]
    assert ROUTING_KEY not in repr(pagerduty.pages)


@pytest.mark.parametrize(
    "body",
    [
        event(routing_key="0" * 32),
        event(routing_key="short"),
        event(event_action="shout"),
        event(event_action="resolve", dedup_key=None),
        event(payload={"summary": "x" * 1_025, "source": "s", "severity": "critical"}),
        event(payload={"summary": "x", "source": "s", "severity": "P1"}),
        event(payload={"summary": "x", "severity": "info"}),
        event(payload=None),
        [],
    ],
)
async def test_an_invalid_event_pages_nobody(body: Any) -> None:
    """An event that PagerDuty would refuse gets 400 with its errors."""
    pagerduty = PagerDuty(KEYS)
    async with listening(pagerduty.app) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/v2/enqueue", json=body)
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")
    assert answer.json()["errors"]
    assert pagerduty.pages == []
