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


def settings_file(folder: Path, slack: Slack, *, receiver: str = "") -> tuple[Path, str]:
    """A settings file with Slack over HTTP, and its text; `receiver` is more of `[receiver]`."""
    for name in ("ana", "bob"):
        (folder / f"{name}.token").write_text(TOKENS[name])
    (folder / "slack.secret").write_text(KEYS.slack_signing_secret.get_secret_value())
    (folder / "slack.token").write_text(KEYS.slack_token.get_secret_value())
    (folder / "slack.app").write_text(TOKEN.get_secret_value())
    file = folder / "runbook.toml"
    over_http = f'{SETTINGS.replace(PEOPLE, "")}{SLACK}base_url = "{slack.url}/api/"\n{NEEDED}'
    over_http = over_http.replace("[receiver]\n", f"[receiver]\n{receiver}", 1)
    file.write_text(over_http)
    return file, over_http


def over_a_socket(text: str) -> str:
    """The same with Socket Mode."""
    return text.replace('signing_secret = { file = "slack.secret" }', 'app_token = { file = "slack.app" }')


async def test_the_doctor_asks_for_a_socket(slack: Slack, tmp_path: Path) -> None:
    """And has no row where requests come over HTTP."""
    file, over_http = settings_file(tmp_path, slack)
    assert await socket_rows(file) == []
    file.write_text(over_a_socket(over_http))
    [row] = await socket_rows(file)
    assert (row.system, row.state) == ("Slack's socket", State.OK)
    slack.sockets.error = "not_allowed_token_type"
    [row] = await socket_rows(file)
    assert (row.state, "connections:write" in row.next_step) == (State.WRONG, True)


@pytest.mark.parametrize(
    ("stands", "state"),
    [
        ("connected", State.OK),
        ("renewing: refresh_requested", State.OK),
        ("not connected: Slack: ratelimited (down for 7 min)", State.WRONG),
    ],
)
async def test_the_doctor_tells_what_the_receiver_says_of_its_socket(
    stands: str, state: State, slack: Slack, tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Slack would open one, and yet no click comes through; it says what people do instead."""
    httpserver.expect_request("/readyz").respond_with_json({"status": "ready", "slack": stands})
    file, over_http = settings_file(tmp_path, slack, receiver=f"port = {httpserver.port}\n")
    file.write_text(over_a_socket(over_http))
    [row] = await socket_rows(file)
    assert row.state is state
    if state is State.WRONG:
        assert stands in row.detail
        assert "runbook approve" in row.next_step


@pytest.mark.parametrize("answer", ["[]", "<html>", '{"slack": 7}'])
async def test_what_is_no_receiver_says_nothing_of_a_socket(
    answer: str, slack: Slack, tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Another program on that port, or a receiver without Socket Mode."""
    httpserver.expect_request("/readyz").respond_with_data(answer)
    file, over_http = settings_file(tmp_path, slack, receiver=f"port = {httpserver.port}\n")
    file.write_text(over_a_socket(over_http))
    [row] = await socket_rows(file)
    assert row.state is State.OK
