"""The alert receiver at the wire: what becomes of an alert that is taken; none is lost."""

import asyncio
import hmac
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.processes.json_log import log_json_to
from deployments.receiver.settings import ReceiverSettings
from runbook.alerts.alert import Alert
from runbook.decision.severity import Severity
from runbook.incidents.events import AlertJoined, AlertLeft, AlertsResolved
from tests.deployments.receiver_bench import (
    AUTHORIZED,
    DEADLINE_SECONDS,
    TOKEN,
    Prefect,
    ask,
    eventually,
    notification,
    post,
    sent_alert,
    serving,
)

GROUP, PLAIN = "/alerts/alertmanager", "/alerts/plain"
PAYLOADS = Path(__file__).parents[2] / "data" / "alerts"


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.fixture
async def prefect() -> Prefect:
    """Prefect, up."""
    return Prefect()


@pytest.fixture
async def client(store: IncidentStore, prefect: Prefect) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running receiver."""
    async with serving(store, prefect) as connected:
        yield connected


async def test_a_firing_alert_opens_an_incident_and_starts_its_response(
    client: httpx.AsyncClient, store: IncidentStore, prefect: Prefect
) -> None:
    """The answer names the incident; the store has it; its response is started once."""
    answer = await post(client, notification(sent_alert()))
    [named] = answer["incidents"]
    assert named["new"] is True
    incident = await store.read(named["id"])
    assert incident.environment == "staging"
    told = incident.alert
    assert (told.source, told.service, told.name) == (
        "alertmanager",
        "posthog-integration",
        "PostHogErrorsHigh",
    )
    assert (told.summary, told.severity) == ("PostHogErrorsHigh in short", Severity.P2)
    assert told.starts_at == datetime(2026, 3, 1, 10, 0, 0, 123000, tzinfo=UTC)
    assert told.extra["annotations"]["description"] == "at length"
    await eventually(lambda: prefect.started)
    assert [started.id for started in prefect.started] == [incident.id]


async def test_the_alerts_of_one_service_open_one_incident(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """The first alert of the group opens it, the others join; another service has its own."""
    answer = await post(
        client, notification(sent_alert("A"), sent_alert("B"), sent_alert("C", service="checkout"))
    )
    assert [named["new"] for named in answer["incidents"]] == [True, True]
    first = await store.read(answer["incidents"][0]["id"])
    assert [event.alert.name for event in first.events(AlertJoined)] == ["B"]


async def test_a_repeated_alert_joins_and_starts_nothing(
    client: httpx.AsyncClient, store: IncidentStore, prefect: Prefect
) -> None:
    """Alertmanager repeats a firing group; that is the same incident."""
    first = await post(client, notification(sent_alert()))
    await eventually(lambda: prefect.started)
    second = await post(client, notification(sent_alert()))
    assert second["incidents"] == [{"id": first["incidents"][0]["id"], "new": False}]
    assert len(await store.incidents()) == 1


async def test_alerts_that_leave_are_journalled_and_the_last_one_says_so(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """Each end is kept; after the last one the journal says that none fires. The incident stays open."""
    answer = await post(client, notification(sent_alert("A"), sent_alert("B")))
    await post(client, notification(sent_alert("A", "resolved"), sent_alert("B")))
    incident = await store.read(answer["incidents"][0]["id"])
    assert [event.alert.name for event in incident.events(AlertLeft)] == ["A"]
    assert not incident.alerts_over
    await post(client, notification(sent_alert("A", "resolved"), sent_alert("B", "resolved")))
    incident = await store.read(incident.id)
    assert [event.alerts for event in incident.events(AlertsResolved)] == [2]
    assert incident.alerts_over
    assert not incident.closed


async def test_the_end_of_the_alerts_wakes_a_run_that_asks_a_question(
    client: httpx.AsyncClient, store: IncidentStore, prefect: Prefect
) -> None:
    """Nobody need answer whether to make a change that is not needed now."""
    answer = await post(client, notification(sent_alert()))
    incident = await store.read(answer["incidents"][0]["id"])
    await ask(store, incident)
    await post(client, notification(sent_alert(status="resolved")))
    await eventually(lambda: prefect.woken)
    assert prefect.woken == ["1-enable-fallback-1"]


async def test_a_resolved_alert_without_an_incident_is_ignored(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """Nothing is opened for trouble that is over, and the answer says so."""
    answer = await post(client, notification(sent_alert(status="resolved")))
    assert answer == {
        "incidents": [],
        "ignored": [
            {
                "service": "posthog-integration",
                "name": "PostHogErrorsHigh",
                "reason": "resolved, and posthog-integration has no open incident",
            }
        ],
    }
    assert await store.incidents() == []


async def test_a_plain_alert_is_enough(client: httpx.AsyncClient, store: IncidentStore) -> None:
    """Any script can send one: service, name and summary, the rest if it has it."""
    answer = await post(
        client,
        {"service": "s", "name": "n", "summary": "x", "severity": "critical", "new": 1},
        "/alerts/plain",
    )
    incident = await store.read(answer["incidents"][0]["id"])
    assert incident.alert == Alert(
        source="plain", service="s", name="n", summary="x", severity=Severity.P1, extra={"new": 1}
    )


async def test_simultaneous_alerts_open_one_incident(client: httpx.AsyncClient, store: IncidentStore) -> None:
    """Two senders at the same moment agree on one incident."""
    answers = await asyncio.gather(*(post(client, notification(sent_alert(f"A{n}"))) for n in range(8)))
    assert len({answer["incidents"][0]["id"] for answer in answers}) == 1
    assert sum(answer["incidents"][0]["new"] for answer in answers) == 1
    [incident] = await store.incidents()
    assert len(incident.events(AlertJoined)) == 7


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        (GROUP, b"{", "the body is not JSON"),
        (GROUP, b"\xff\xfe", "the body is not JSON"),
        (GROUP, b"[" * 10_000, "the body is not JSON"),
        (GROUP, b"", "the body is not JSON"),
        (GROUP, b"[]", "the body: "),
        (GROUP, b"{}", "alerts: field required"),
        (GROUP, b'{"alerts": [{"labels": {}}]}', "alerts.0.status: field required"),
        (PLAIN, b'{"service": "s", "summary": "x"}', "name: field required"),
    ],
)
async def test_a_broken_alert_is_an_alert(
    client: httpx.AsyncClient, store: IncidentStore, path: str, body: bytes, why: str
) -> None:
    """What an authenticated sender sends and nobody can read opens an incident with the body attached."""
    answer = await client.post(path, content=body, headers=AUTHORIZED)
    assert answer.status_code == 202
    incident = await store.read(answer.json()["incidents"][0]["id"])
    assert incident.service == "the-integration"
    assert incident.alert.severity is None
    assert f"cannot be read: {why}" in incident.alert.summary
    assert incident.alert.extra["bytes"] == len(body)


async def test_a_broken_alert_that_is_repeated_is_the_same_alert(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """Its sender tries again for hours; that is one line in the journal, and no secret of it."""
    for _ in range(3):
        await client.post(GROUP, content=b'{"api_key": "phx_' + b"s" * 40 + b'"}', headers=AUTHORIZED)
    [incident] = await store.incidents()
    assert incident.events(AlertJoined) == []
    assert "phx_s" not in incident.alert.model_dump_json()


async def test_the_answer_does_not_wait_for_prefect(
    client: httpx.AsyncClient, store: IncidentStore, prefect: Prefect
) -> None:
    """While Prefect is away alerts are taken; their responses start, oldest first, when it is back."""
    prefect.up.clear()
    first = await post(client, notification(sent_alert()))
    second = await post(client, notification(sent_alert(service="checkout")))
    ids = [answer["incidents"][0]["id"] for answer in (first, second)]
    assert {incident.id for incident in await store.incidents()} == set(ids)
    await eventually(lambda: prefect.attempts >= 2)
    ready = await client.get("/readyz")
    assert (ready.status_code, set(ready.json()["waiting_for_prefect"])) == (200, set(ids))
    prefect.up.set()
    await eventually(lambda: len(prefect.started) >= 2)
    assert [incident.id for incident in prefect.started] == ids
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await client.get("/readyz")).json()["waiting_for_prefect"]:  # noqa: ASYNC110  asked at the wire
            await asyncio.sleep(0.01)


async def test_an_incident_without_a_run_is_taken_up_after_a_restart(
    store: IncidentStore, prefect: Prefect
) -> None:
    """A receiver that died after its answer loses nothing; a run that opens its own is left alone."""
    now = datetime.now(UTC)
    alert = Alert(source="alertmanager", service="s", name="n", summary="x")
    await store.open_incident(alert, incident_id="inc-20260301-100000-0001", at=now - timedelta(minutes=1))
    other = alert.model_copy(update={"service": "other"})
    await store.open_incident(other, incident_id="inc-20260301-100100-0002", at=now)
    async with serving(store, prefect):
        await eventually(lambda: prefect.started)
    assert [incident.id for incident in prefect.started] == ["inc-20260301-100000-0001"]


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """What the receiver logs."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    lines = io.StringIO()
    log_json_to(lines)
    yield lines
    root.handlers[:] = before
    root.setLevel(level)


async def test_the_log_tells_what_was_taken_and_refused_and_no_secret(
    log_lines: io.StringIO, client: httpx.AsyncClient, prefect: Prefect
) -> None:
    """Each line is a JSON object; neither tokens nor labels are in it."""
    answer = await post(client, notification(sent_alert(api_key="phx_" + "s" * 40)))
    await client.post("/alerts/plain", json={}, headers={"authorization": "Bearer guessed-token"})
    await eventually(lambda: prefect.started)
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    ours = [line for line in lines if line["log"] == "runbook.receiver"]
    assert [(line["event"], line.get("incident"), line.get("status")) for line in ours[:1]] == [
        ("incident opened", answer["incidents"][0]["id"], None)
    ]
    assert {"request refused", "response started"} <= {line["event"] for line in ours}
    assert not any(secret in log_lines.getvalue() for secret in (TOKEN, "guessed-token", "phx_"))


async def test_a_replay_is_answered_with_200_and_has_no_effect(
    store: IncidentStore, prefect: Prefect
) -> None:
    """PagerDuty sends a message again whose answer it did not get in time."""
    secret = "a-signing-secret-of-pagerduty"
    config = ReceiverSettings.model_validate({"pagerduty": {"secrets": [secret]}})
    body = (PAYLOADS / "pagerduty" / "incident_triggered.json").read_bytes()
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    headers = {"x-pagerduty-signature": f"v1={signature}"}
    async with serving(store, prefect, config) as client:
        first = await client.post("/alerts/pagerduty", content=body, headers=headers)
        again = await client.post("/alerts/pagerduty", content=body, headers=headers)
        changed = await client.post("/alerts/pagerduty", content=body + b" ", headers=headers)
    assert [answer.status_code for answer in (first, again, changed)] == [202, 200, 401]
    assert again.json()["incidents"] == [{"id": first.json()["incidents"][0]["id"], "new": False}]
    [incident] = await store.incidents()
    assert len([item for item in incident.journal if isinstance(item.event, AlertJoined)]) == 0
