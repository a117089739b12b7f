"""Requests of every kind, made from the receiver's own description: none is answered with 5xx or ends it.

`make fuzz-intake` sends tens of thousands.
"""

import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from deployments.prefect.server import until_answers
from deployments.processes.process import Process, free_port
from runbook.alerts.sources import SOURCES
from tests.conftest import EXAMPLES
from tests.fixtures.prefect_server import event_loop_in_background

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A receiver whose Prefect is away; yields its address."""
    folder = tmp_path_factory.mktemp("receiver")
    (folder / "token").write_text(TOKEN)
    (folder / "runbook.toml").write_text('[receiver]\ntoken = { file = "token" }\n')
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
    assert {operation.path for operation in operations} >= {f"/alerts/{name}" for name in SOURCES}
    for operation in operations:
        send_many(operation)
    assert httpx.get(f"{receiver}/readyz", trust_env=False).status_code == 200


def send_many(operation: Any) -> None:
    """Send made-up requests to one path, valid ones and others."""
    headers = {"authorization": f"Bearer {TOKEN}"}

    @settings(max_examples=max(10, EXAMPLES // 10), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = case.call(headers=headers)
        assert answer.status_code < 500, answer.text

    send()
