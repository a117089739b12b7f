"""The imitated Slack speaks Socket Mode as Slack does: for slack_sdk's own client, too."""

import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from deployments.drill.world.channels import slack_sockets
from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.door import Door
from deployments.drill.world.servers.record import Recorder
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(12))  # noqa: S311  repeatable on purpose
TOKEN = KEYS.slack_app_token.get_secret_value()


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    """A workspace behind its front door."""
    found = Slack(KEYS)
    async with listening(Door("slack", found.app, Recorder())) as found.url:
        yield found


async def address(slack: Slack, token: str = TOKEN) -> dict[str, Any]:
    """What `apps.connections.open` says."""
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{slack.url}/api/apps.connections.open"
        answer = await client.post(url, headers={"authorization": f"Bearer {token}"})
        told: dict[str, Any] = answer.json()
        return told


@pytest.mark.parametrize(
    ("token", "error"), [("xapp-1-wrong", "invalid_auth"), ("xoxb-1", "not_allowed_token_type")]
)
async def test_another_token_opens_no_socket(token: str, error: str, slack: Slack) -> None:
    """A bot's token is none of this kind."""
    assert await address(slack, token) == {"ok": False, "error": error}


async def test_an_address_is_good_once(slack: Slack) -> None:
    """And Slack says hello first."""
    url = (await address(slack))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_slack_sdk_gets_an_envelope_and_renews_its_socket(slack: Slack) -> None:
    """Its own client takes the imitation for Slack."""
    web = AsyncWebClient(base_url=f"{slack.url}/api/")
    client = SocketModeClient(app_token=TOKEN, web_client=web)
    client.proxy = None
    seen: list[SocketModeRequest] = []

    async def take(_client: object, request: SocketModeRequest) -> None:
        seen.append(request)
        response = SocketModeResponse(envelope_id=request.envelope_id, payload={"text": "done"})
        await client.send_socket_mode_response(response)

    client.socket_mode_request_listeners.append(take)
    try:
        await client.connect()  # type: ignore[no-untyped-call]
        answered = await slack.sockets.deliver("slash_commands", {"command": "/incident"})
        assert (answered.status, answered.body) == (200, {"text": "done"})
        await slack.sockets.refresh()
        assert (await slack.sockets.deliver("interactive", {"type": "x"})).status == 200
        assert [request.type for request in seen] == ["slash_commands", "interactive"]
    finally:
        await client.close()  # type: ignore[no-untyped-call]


async def test_what_is_not_acknowledged_comes_again_once(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another id, and the reason."""
    monkeypatch.setattr(slack_sockets, "ACKNOWLEDGED_SECONDS", 0.1)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect((await address(slack))["url"]) as socket,
    ):
        await socket.receive_json()
        assert (await slack.sockets.deliver("interactive", {})).status == 0
        first, second = await socket.receive_json(), await socket.receive_json()
    assert "retry_attempt" not in first
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["envelope_id"] != second["envelope_id"]
