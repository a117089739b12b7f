"""The alert receiver at the wire: who may send, what is taken, and that no incident is lost."""

import asyncio
import contextlib
import hmac
import io
import json
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from blocks.store import IncidentStore
from deployments import receiver_body
from deployments.json_log import log_json_to
from deployments.receiver_app import create_app
from deployments.settings import ReceiverSettings
from deployments.source_settings import PagerDutySettings
from deployments.watching import SelfWatching
from runbook.actions import ActionName, PlannedAction
from runbook.alert import Alert
from runbook.decide import decide
from runbook.events import AlertJoined, AlertLeft, AlertsResolved, ApprovalRequested, DecisionMade, RunStarted
from runbook.findings import Findings
from runbook.incident import Incident
from runbook.policy import Policy
from runbook.severity import Severity

TOKEN = "a-token-of-some-length"
AUTHORIZED = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
CONFIG = ReceiverSettings(token=SecretStr(TOKEN), max_body_bytes=20_000)
DEADLINE_SECONDS = 10.0
PAYLOADS = Path(__file__).parents[1] / "data" / "alerts"


class Prefect:
    """Stands in for Prefect: starts responses when it is up, and remembers which."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.attempts = 0
        self.store: IncidentStore | None = None
        self.started: list[Incident] = []
        self.woken: list[str] = []
        self.called: list[tuple[str, str]] = []

    async def start(self, incident: Incident) -> str:
        """Start a response, and journal it."""
        assert self.store is not None
        run = f"run-of-{incident.id}"
        await self.store.append(
            incident.id, RunStarted(flow_run_id=run), at=datetime.now(UTC), key=f"run:{run}"
        )
        self.started.append(incident)
        return run

    async def wake(self, incident: Incident) -> bool:
        """Wake the run that asks a question which is needless now."""
        if incident.needless_gate is None:
            return False
        self.woken.append(incident.needless_gate.gate)
        return True

    async def call(self, incident: Incident, because: str) -> None:
        """Call a person."""
        self.called.append((incident.id, because))

    async def look_after(self) -> list[str]:
        """Nothing stops here."""
        return []

    async def reachable(self) -> bool:
        """Whether it is up."""
        self.attempts += 1
        return self.up.is_set()


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.fixture
async def prefect() -> Prefect:
    """Prefect, up."""
    return Prefect()


@contextlib.asynccontextmanager
async def serving(
    store: IncidentStore,
    prefect: Prefect,
    config: ReceiverSettings = CONFIG,
    self_watching: SelfWatching | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A running receiver; yields a client that knows its address."""
    prefect.store = store
    app = create_app(
        config,
        store,
        prefect,
        service="the-integration",
        environment="staging",
        self_watching=self_watching,
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            await running


@pytest.fixture
async def client(store: IncidentStore, prefect: Prefect) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running receiver."""
    async with serving(store, prefect) as connected:
        yield connected


async def eventually(condition: Any) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110  the receiver's own state: it sets no event for tests
            await asyncio.sleep(0.01)


def notification(*alerts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Alertmanager's payload of a group."""
    return {
        "version": "4",
        "groupKey": '{}:{service="posthog-integration"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "posthog-runbook",
        "groupLabels": {"service": "posthog-integration"},
        "commonLabels": {"service": "posthog-integration"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    } | fields


def sent_alert(name: str = "PostHogErrorsHigh", status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of a notification."""
    return {
        "status": status,
        "labels": {"alertname": name, "service": "posthog-integration", "severity": "P2"} | labels,
        "annotations": {"summary": f"{name} in short", "description": "at length"},
        "startsAt": "2026-03-01T10:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": f"print-of-{name}",
    }


async def post(client: httpx.AsyncClient, payload: Any, path: str = "/alerts/alertmanager") -> dict[str, Any]:
    """The answer to a payload that is taken."""
    answer = await client.post(path, json=payload, headers=AUTHORIZED)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


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


async def ask(store: IncidentStore, incident: Incident) -> None:
    """Have a run decide on a fallback, and ask about it."""
    action = PlannedAction(
        id="1-enable-fallback", name=ActionName.ENABLE_FALLBACK, target="deployment/x", because="a test"
    )
    decision = decide(Findings(items=()), claimed=None, policy=Policy())
    decided = DecisionMade(round=1, decision=decision.model_copy(update={"plan": (action,)}))
    await store.append(incident.id, decided, at=datetime.now(UTC))
    asked = ApprovalRequested(
        gate="1-enable-fallback-1", action_id=action.id, plan_digest="d", question="?", flow_run_id="r"
    )
    await store.append(incident.id, asked, at=datetime.now(UTC), key=f"ask:{asked.gate}")


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
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": b"Bearer \xff\xfe"},
    ],
)
async def test_nobody_without_the_token_may_send(
    client: httpx.AsyncClient, store: IncidentStore, headers: dict[str, Any]
) -> None:
    """The answer is 401 before the body is looked at, and nothing is stored."""
    answer = await client.post("/alerts/plain", content=b"no JSON", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {"error": "not authenticated"}
    assert await store.incidents() == []


async def test_without_a_token_in_the_settings_nobody_may_send(
    store: IncidentStore, prefect: Prefect
) -> None:
    """A receiver that was not given a token is closed, and tells callers nothing; its log says why."""
    async with serving(store, prefect, ReceiverSettings()) as client:
        answer = await client.post("/alerts/plain", json={}, headers=AUTHORIZED)
    assert answer.status_code == 401
    assert answer.json() == {"error": "not authenticated"}


GROUP, PLAIN = "/alerts/alertmanager", "/alerts/plain"


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


async def test_a_notification_without_alerts_is_refused(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """It tells of nothing, so there is nothing to open; the answer says what is missing."""
    answer = await client.post(GROUP, json={"alerts": []}, headers=AUTHORIZED)
    assert answer.status_code == 422
    assert answer.json() == {"error": "alerts: the list is empty", "next_step": "Send at least one alert"}
    assert await store.incidents() == []


async def test_a_long_body_is_refused_by_its_declared_length(client: httpx.AsyncClient) -> None:
    """A sender that says how much is coming is answered before it has sent it."""
    answer = await client.post("/alerts/plain", content=b"x" * 20_001, headers=AUTHORIZED)
    assert answer.status_code == 413


@contextlib.asynccontextmanager
async def sending(
    client: httpx.AsyncClient,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A request of which only the head is sent; its body comes in chunks."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    head = ["POST /alerts/plain HTTP/1.1", "host: receiver", "transfer-encoding: chunked"]
    head += [f"{name}: {value}" for name, value in AUTHORIZED.items()]
    writer.write("\r\n".join([*head, "", ""]).encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_a_long_body_is_refused_while_it_streams(client: httpx.AsyncClient) -> None:
    """A sender that declares no length cannot fill the memory: it is cut off at the limit."""
    async with asyncio.timeout(DEADLINE_SECONDS), sending(client) as (reader, writer):
        for _ in range(5):
            writer.write(b"1388\r\n" + b"x" * 5_000 + b"\r\n")
        assert (await reader.readline()).split()[1] == b"413"
        await reader.read()  # ends, because the receiver closes the connection


async def test_a_body_that_comes_too_slowly_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stalled sender does not hold a connection for ever."""
    monkeypatch.setattr(receiver_body, "BODY_SECONDS", 0.1)
    async with asyncio.timeout(DEADLINE_SECONDS), sending(client) as (reader, writer):
        writer.write(b"1\r\n{\r\n")
        assert (await reader.readline()).split()[1] == b"408"
        await reader.read()


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


async def test_a_store_that_cannot_be_reached_is_told(tmp_path: Path, prefect: Prefect) -> None:
    """503 makes the sender repeat the alert; the receiver says that it is not ready."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/incidents.db"))
    async with serving(store, prefect) as client:
        answer = await client.post(GROUP, json=notification(sent_alert()), headers=AUTHORIZED)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["error"].startswith("incident store: ")
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/alerts/plain", 405), ("POST", "/", 404)])
async def test_a_wrong_address_is_told_the_right_one(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """Also these answers are JSON with a next step."""
    answer = await client.request(method, path)
    assert answer.status_code == status
    paths = ("alertmanager", "grafana", "pagerduty", "incident-io", "plain")
    assert answer.json()["next_step"] == f"POST to one of {', '.join(f'/alerts/{path}' for path in paths)}"


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


def run_receiver(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the receiver as a program that is expected to end by itself."""
    command = [sys.executable, "-m", "deployments.receiver", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """The program ends with 1 and says which port, and what to do."""
    (tmp_path / "runbook.toml").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_receiver("--config", tmp_path / "runbook.toml", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr == (
        f"cannot listen on 127.0.0.1 port {port} (Address already in use): "
        "stop what listens there, or set another [receiver] port\n"
    )


def test_settings_with_a_mistake_are_one_line(tmp_path: Path) -> None:
    """The program ends with 1 and names the key."""
    (tmp_path / "runbook.toml").write_text("[receiver]\nprot = 1\n")
    result = run_receiver("--config", tmp_path / "runbook.toml")
    assert result.returncode == 1
    assert result.stderr.endswith('receiver.prot: unknown key (did you mean "port"?)\n')


async def test_a_replay_is_answered_with_200_and_has_no_effect(
    store: IncidentStore, prefect: Prefect
) -> None:
    """PagerDuty sends a message again whose answer it did not get in time."""
    secret = "a-signing-secret-of-pagerduty"
    config = ReceiverSettings(pagerduty=PagerDutySettings(secrets=[SecretStr(secret)]))
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
