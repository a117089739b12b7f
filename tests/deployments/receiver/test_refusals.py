"""What the receiver refuses at the wire, and how the refused are told."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver import app as receiver_app
from deployments.receiver.connections import body as receiver_body
from deployments.receiver.connections.few_lines import FewLines
from deployments.receiver.notifications import UNPROVEN
from deployments.receiver.settings import ReceiverSettings
from tests.deployments.receiver_bench import (
    AUTHORIZED,
    CONFIG,
    DEADLINE_SECONDS,
    TOKEN,
    Prefect,
    notification,
    sent_alert,
    serving,
)


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.fixture
async def client(store: IncidentStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running receiver."""
    async with serving(store, Prefect()) as connected:
        yield connected


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
    assert answer.json() == {"error": "not authenticated", "next_step": UNPROVEN}
    assert await store.incidents() == []


@pytest.mark.parametrize(
    ("path", "config", "advice"),
    [
        ("plain", ReceiverSettings(), "Set a credential in [receiver.plain]: "),
        ("incident-io", CONFIG, "Set a credential in [receiver.incident_io]: "),
        ("pagerduty", CONFIG, "Set a credential in [receiver.pagerduty]: "),
        (
            "grafana",
            CONFIG,
            "If the sender is yours, configure it with the credential of [receiver.grafana] or [receiver]",
        ),
    ],
)
async def test_who_proves_nothing_is_told_nothing_and_the_log_says_what_to_do(
    store: IncidentStore,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    config: ReceiverSettings,
    advice: str,
) -> None:
    """A source without a credential is closed for all, which only its operator can change."""
    monkeypatch.setattr(receiver_app, "few_lines", FewLines(receiver_app.log))  # other tests have had theirs
    headers = {"authorization": "Bearer another-token", "x-pagerduty-signature": "v1=00"}
    async with serving(store, Prefect(), config) as client:
        answer = await client.post(f"/alerts/{path}", json={}, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"error": "not authenticated", "next_step": UNPROVEN}
    refused = [record for record in caplog.records if record.message == "request refused"]
    assert [record.runbook_fields["next_step"].startswith(advice) for record in refused] == [True]  # type: ignore[attr-defined]


async def test_a_notification_without_alerts_is_refused(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """It tells of nothing, so there is nothing to open; the answer says what is missing."""
    answer = await client.post("/alerts/alertmanager", json={"alerts": []}, headers=AUTHORIZED)
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


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["an annotation", "no JSON"])
async def test_a_long_body_that_is_masked_for_seconds_keeps_nobody_waiting(
    store: IncidentStore, kind: str
) -> None:
    """A megabyte that is all labels of secrets, from one who may send it; another alert overtakes it."""
    labels = "-u a:" * 150_000
    payload = notification(sent_alert(summary=labels))
    content = json.dumps(payload).encode() if kind == "an annotation" else labels.encode()
    path = "/alerts/alertmanager"
    config = CONFIG.model_copy(update={"max_body_bytes": 2**20})
    async with serving(store, Prefect(), config) as client:
        long = asyncio.create_task(client.post(path, content=content, headers=AUTHORIZED, timeout=60))
        await asyncio.sleep(0.3)
        short = await client.post(path, json=notification(sent_alert("Other")), headers=AUTHORIZED)
        assert short.status_code == 202
        assert not long.done()
        assert (await long).status_code == 202


async def test_a_body_that_comes_too_slowly_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stalled sender does not hold a connection for ever."""
    monkeypatch.setattr(receiver_body, "BODY_SECONDS", 0.1)
    async with asyncio.timeout(DEADLINE_SECONDS), sending(client) as (reader, writer):
        writer.write(b"1\r\n{\r\n")
        assert (await reader.readline()).split()[1] == b"408"
        await reader.read()


async def test_a_store_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    """503 makes the sender repeat the alert; the receiver says that it is not ready."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/incidents.db"))
    async with serving(store, Prefect()) as client:
        answer = await client.post(
            "/alerts/alertmanager", json=notification(sent_alert()), headers=AUTHORIZED
        )
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["error"].startswith("incident store: ")
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/alerts/plain", 405), ("POST", "/", 405), ("POST", "/alerts", 404)],
)
async def test_a_wrong_address_is_told_the_right_one(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """Also these answers are JSON with a next step."""
    answer = await client.request(method, path)
    assert answer.status_code == status
    paths = ("alertmanager", "grafana", "incident-io", "pagerduty", "plain")
    listed = ", ".join(f"/alerts/{path}" for path in paths)
    assert answer.json()["next_step"] == f"POST to one of {listed}; GET /docs describes them"


def run_receiver(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the receiver as a program that is expected to end by itself."""
    command = [sys.executable, "-m", "deployments.receiver", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.proof
def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """The program ends with 1 and says which port, and what to do."""
    (tmp_path / "runbook.toml").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_receiver("--config", tmp_path / "runbook.toml", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr == (
        f"cannot listen on 127.0.0.1 port {port} (Address already in use): "
        "stop the process that listens there, or set another [receiver] port\n"
    )


@pytest.mark.proof
def test_settings_with_a_mistake_are_one_line(tmp_path: Path) -> None:
    """The program ends with 1 and names the key."""
    (tmp_path / "runbook.toml").write_text("[receiver]\nprot = 1\n")
    result = run_receiver("--config", tmp_path / "runbook.toml")
    assert result.returncode == 1
    assert result.stderr.endswith('receiver.prot: unknown key (did you mean "port"?)\n')
