"""What Slack says to `apps.connections.open`, and whose sockets are opened."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.transport.errors import OutsideError, Refused, Unauthenticated, Unavailable, Unreadable
from deployments.cli.doctor.rows import State
from deployments.cli.doctor.slack_socket import socket_rows
from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.servers.wire import listening
from deployments.receiver.slack.socket_mode.opening import socket_url
from tests.deployments.people_bench import SETTINGS, TOKENS
from tests.deployments.settings_samples import NEEDED
from tests.deployments.slack_bench import KEYS, PEOPLE, SLACK

TOKEN = KEYS.slack_app_token


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    """A workspace."""
    found = Slack(KEYS)
    async with listening(found.app) as found.url:
        yield found


async def test_an_address_is_given_for_the_token(slack: Slack) -> None:
    """On the server that stands for Slack."""
    assert (await socket_url(f"{slack.url}/api/", TOKEN)).startswith("ws://127.0.0.1:")


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        ("invalid_auth", Unauthenticated, "xapp-"),
        ("not_allowed_token_type", Refused, "app-level token"),
        ("missing_scope", Refused, "connections:write"),
        ("ratelimited", Unavailable, "ratelimited"),
        ("internal_error", Unavailable, "internal_error"),
        ("something_new", Refused, "Turn Socket Mode on"),
    ],
)
async def test_a_refusal_says_what_to_do(
    error: str, kind: type[OutsideError], says: str, slack: Slack
) -> None:
    """In our own terms, and without the token."""
    slack.sockets.error, slack.sockets.retry_after = error, 7
    with pytest.raises(kind) as refused:
        await socket_url(f"{slack.url}/api/", TOKEN)
    assert says in str(refused.value)
    assert TOKEN.get_secret_value() not in str(refused.value)
    if error == "ratelimited":
        assert isinstance(refused.value, Unavailable)
        assert refused.value.retry_after_seconds == 7


@pytest.mark.parametrize(
    "url",
    ["wss://evil.example/link", "ws://wss-primary.slack.com/link", "https://slack.com", "", None, "wss://["],
)
async def test_a_socket_that_is_not_slacks_is_not_opened(url: str | None, httpserver: HTTPServer) -> None:
    """Whatever an answer says."""
    httpserver.expect_request("/api/apps.connections.open").respond_with_json({"ok": True, "url": url})
    with pytest.raises(Unreadable, match="not Slack's"):
        await socket_url(httpserver.url_for("/api/"), SecretStr("xapp-1"))


async def test_the_doctor_asks_for_a_socket(slack: Slack, tmp_path: Path) -> None:
    """And has no row where requests come over HTTP."""
    folder = tmp_path
    for name in ("ana", "bob"):
        (folder / f"{name}.token").write_text(TOKENS[name])
    (folder / "slack.secret").write_text(KEYS.slack_signing_secret.get_secret_value())
    (folder / "slack.token").write_text(KEYS.slack_token.get_secret_value())
    (folder / "slack.app").write_text(TOKEN.get_secret_value())
    file = folder / "runbook.toml"
    over_http = f'{SETTINGS.replace(PEOPLE, "")}{SLACK}base_url = "{slack.url}/api/"\n{NEEDED}'
    file.write_text(over_http)
    assert await socket_rows(file) == []
    file.write_text(
        over_http.replace('signing_secret = { file = "slack.secret" }', 'app_token = { file = "slack.app" }')
    )
    [row] = await socket_rows(file)
    assert (row.system, row.state) == ("Slack's socket", State.OK)
    slack.sockets.error = "not_allowed_token_type"
    [row] = await socket_rows(file)
    assert (row.state, "connections:write" in row.next_step) == (State.WRONG, True)
