"""What a page of another origin can do in the browser of an operator who is logged into Prefect: nothing."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page
from prefect.blocks.system import Secret
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually
from tests.real.browser import browser_page, log_in

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

FOREIGN = "foreign.example"
"""A host name that the attacker has pointed at this machine, as DNS rebinding does."""

ASK = """
async ([url, options]) => {
  try {
    const answer = await fetch(url, options)
    return {status: answer.status, text: await answer.text()}
  } catch (error) {
    return {status: 0, text: String(error)}
  }
}
"""

LISTEN = """
async ([url, token]) => new Promise(resolve => {
  const socket = new WebSocket(url, ["prefect"])
  socket.onopen = () => socket.send(JSON.stringify({type: "auth", token}))
  socket.onmessage = message => resolve(message.data)
  socket.onclose = () => resolve("closed")
})
"""

FRAME = """
url => {
  const frame = document.createElement("iframe")
  frame.src = url
  document.body.replaceChildren(frame)
}
"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page in a browser to which the foreign host's name leads to this machine."""
    async with browser_page(f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1") as opened:
        yield opened


@pytest.fixture
async def asking(engine: Engine, tmp_path: Path) -> AsyncIterator[Case]:
    """An outage of PostHog whose run sleeps at its first gate."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as response:
        await response.alert()
        await response.gate()
        yield response


async def attack(
    page: Page, api: str, asking: Case, *, credentials: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """Read the secrets, approve the change, start a run with a command: what each comes to."""
    gate = await asking.gate()
    deployment = await asking.client.read_deployment_by_name("triage/triage")
    form = {"gate": gate.gate, "decision": "approve", "approver": "mallory", "reason": "because"}
    requests: dict[str, tuple[str, Any]] = {
        "secrets": ("block_documents/filter", {"include_secrets": True}),
        "approve": (f"flow_runs/{gate.flow_run_id}/resume", {"run_input": form}),
        "run": (f"deployments/{deployment.id}/create_flow_run", {"job_variables": {"command": "id"}}),
    }
    came_to = {}
    for name, (path, body) in requests.items():
        for kind in ("application/json", "text/plain"):  # the browser asks the server first, or does not
            options = {
                "method": "POST",
                "headers": {"content-type": kind, **credentials},
                "body": await page.evaluate("JSON.stringify", body),
            }
            came_to[f"{name} {kind}"] = await page.evaluate(ASK, [f"{api}/{path}", options])
    came_to["settings"] = await page.evaluate(ASK, [f"{api}/admin/settings", {"headers": credentials}])
    came_to["blind"] = await page.evaluate(ASK, [f"{api}/admin/settings", {"mode": "no-cors"}])
    return came_to


async def test_a_foreign_page_reads_and_changes_nothing(
    asking: Case, page: Page, httpserver: HTTPServer
) -> None:
    """Neither from another origin nor under a name that leads here; the first not even with the password.

    The operator is logged into Prefect's UI in the same browser.
    """
    server = asking.engine.server
    await Secret(value=SecretStr("the-secret")).asave("foreign-pages", overwrite=True)
    httpserver.expect_request("/").respond_with_data("<body>A page</body>", content_type="text/html")
    await log_in(page, server)
    token = base64.b64encode(server.access.password.encode()).decode()
    knowing = {"authorization": f"Basic {token}"}

    by_ui = await attack(page, server.api_url, asking, credentials=knowing)
    assert by_ui["settings"]["status"] == 200  # so that what follows shows something
    assert by_ui["approve application/json"]["text"] == '{"detail":"Missing CSRF token."}'

    foreign = await page.context.new_page()
    for origin in (f"http://{FOREIGN}:{httpserver.port}/", httpserver.url_for("/")):
        await foreign.goto(origin)
        for credentials in ({}, knowing):
            came_to = await attack(foreign, server.api_url, asking, credentials=credentials)
            assert {what: answer["status"] for what, answer in came_to.items()} == dict.fromkeys(came_to, 0)
        socket = f"{server.api_url.replace('http', 'ws', 1)}/events/out"
        assert await foreign.evaluate(LISTEN, [socket, server.access.password]) == "closed"
        await foreign.evaluate(FRAME, server.ui_url)
        await eventually(lambda: shown_in_frame(foreign), lambda url: url.startswith("chrome-error:"))

    rebound = await page.context.new_page()
    here = f"http://{FOREIGN}:{urlsplit(server.ui_url).port}"
    await rebound.goto(f"{here}/api/health")
    assert await rebound.locator("body").inner_text() == "Invalid host header"
    came_to = await attack(rebound, f"{here}/api", asking, credentials={})
    assert {what: answer["text"] for what, answer in came_to.items()} == dict.fromkeys(
        came_to, "Invalid host header"
    )
    socket = f"{here.replace('http', 'ws', 1)}/api/events/out"
    assert await rebound.evaluate(LISTEN, [socket, server.access.password]) == "closed"

    incident = await asking.read()
    assert incident.closed_gates == {}
    assert incident.pending_gate is not None
    assert asking.changes() == []


async def shown_in_frame(page: Page) -> str:
    """The address of what a page shows in its frame; one of Chromium's own where the server forbids it."""
    return page.frames[-1].url
