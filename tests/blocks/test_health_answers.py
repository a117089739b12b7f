"""Answers of health endpoints as frameworks and people write them, read over HTTP and judged."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from blocks.integration import IntegrationService
from blocks.transport.errors import OutsideError
from runbook.checks.findings import Status
from runbook.checks.health import DEFAULT_PATH
from runbook.checks.specs.health import judge_health
from tests.runbook.findings_samples import NOW, POLICY

ANSWERS = json.loads((Path(__file__).parents[1] / "data" / "health-answers.json").read_text())


async def status_of(httpserver: HTTPServer, answer: dict[str, Any]) -> Status:
    """What the check says about a server that gives this answer."""
    content = base64.b64decode(answer["base64"]) if "base64" in answer else answer["body"].encode()
    http_status, headers = answer.get("http_status", 200), answer.get("headers", {})
    httpserver.expect_request("/health").respond_with_data(content, status=http_status, headers=headers)
    httpserver.expect_request("/good").respond_with_json({"services": {"posthog": {"status": "ok"}}})
    httpserver.expect_request("/login").respond_with_data("<html>Sign in", content_type="text/html")
    httpserver.expect_request("/loop").respond_with_data(status=301, headers={"Location": "/loop"})
    service = IntegrationService(
        health_url=httpserver.url_for("/health"), status_path=answer.get("path", DEFAULT_PATH)
    )
    try:
        reading = await service.read_health()
    except OutsideError:
        return Status.UNKNOWN
    return judge_health(reading, policy=POLICY, now=NOW).status


@pytest.mark.parametrize("answer", ANSWERS, ids=[str(number) for number in range(len(ANSWERS))])
async def test_an_answer_means_what_it_says(httpserver: HTTPServer, answer: dict[str, Any]) -> None:
    """Well, bad, or unknown where it cannot be read or contradicts itself."""
    assert await status_of(httpserver, answer) == answer["status"], answer
