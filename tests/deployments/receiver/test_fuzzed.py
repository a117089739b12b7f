"""Requests of every kind, made from the receiver's own description: none is answered with 5xx or ends it.

`make fuzz-intake` sends tens of thousands.
"""

import hmac
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from runbook.alerts.sources import SOURCES
from tests.conftest import EXAMPLES
from tests.fixtures.prefect_server import event_loop_in_background

TOKEN = "a-token-of-some-length"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BY_SLACK = {"/slack/interactions", "/slack/commands"}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A receiver whose Prefect is away; yields its address."""
    folder = tmp_path_factory.mktemp("receiver")
    (folder / "token").write_text(TOKEN)
    (folder / "secret").write_text(SIGNING_SECRET)
    (folder / "runbook.toml").write_text(
        '[receiver]\ntoken = { file = "token" }\n[receiver.slack]\nsigning_secret = { file = "secret" }\n'
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = str(folder / "runbook.toml")
    environment = {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    with event_loop_in_background() as run:
        process = run(
            Process.start(
                "The receiver",
                [sys.executable, "-m", "deployments.receiver", "--config", config, "--port", str(port)],
                log=folder / "log",
                environment=environment,
            )
        )
        try:
            run(until_answers(f"{url}/readyz", process))
            yield url
        finally:
            run(process.stop())


def test_no_request_is_answered_with_a_server_error(receiver: str) -> None:
    """Whatever a sender sends, it gets an answer that says what became of it; and so does the next one."""
    description = schemathesis.openapi.from_url(f"{receiver}/openapi.json")
    operations = [found.ok() for found in description.get_all_operations() if isinstance(found, Ok)]
    paths = {operation.path for operation in operations}
    assert paths >= {f"/alerts/{name}" for name in SOURCES} | BY_SLACK
    for operation in operations:
        send_many(operation)
    assert httpx.get(f"{receiver}/readyz", trust_env=False).status_code == 200


def send_many(operation: Any) -> None:
    """Send made-up requests to one path, valid ones and others."""
    headers = {"authorization": f"Bearer {TOKEN}"}

    @settings(max_examples=max(10, EXAMPLES // 10), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        signed = signature_of(case) if operation.path in BY_SLACK else {}
        answer = case.call(headers=headers | signed)
        assert answer.status_code < 500, answer.text
        assert not signed or answer.status_code != 401, "the signature is not Slack's"

    send()


def signature_of(case: Any) -> dict[str, str]:
    """What Slack sends beside the body: else none of these requests would be read."""
    sent = requests.Request(**case.as_transport_kwargs()).prepare().body or b""
    body = sent if isinstance(sent, bytes) else sent.encode()
    stamp = str(int(time.time()))
    digest = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:".encode() + body, "sha256").hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}
