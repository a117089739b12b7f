"""People in the drill's workspace act within Slack's limits: three seconds, five answers, whole dialogs."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deployments.drill.world.channels import slack_people, slack_views
from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.channels.slack_views import Triggers, view_problems
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(7))  # noqa: S311  repeatable on purpose
BUTTON = {"type": "button", "action_id": "go", "value": "here", "text": {"type": "plain_text", "text": "Go"}}
VIEW: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Why"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "value"},
        }
    ],
}


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    """A workspace with one message that has a button."""
    workspace = Slack(KEYS)
    async with listening(workspace.app) as url:
        workspace.url = url
        workspace.messages.append(
            {"ts": workspace.next_ts(), "text": "?", "blocks": [{"type": "actions", "elements": [BUTTON]}]}
        )
        yield workspace


def app(take: Any) -> Starlette:
    """An app that answers interactions."""
    return Starlette(routes=[Route("/", take, methods=["POST"])])


async def test_a_click_is_signed_as_slack_signs(slack: Slack) -> None:
    """Slack's own verifier takes it."""
    verifier = SignatureVerifier(KEYS.slack_signing_secret.get_secret_value())

    async def take(request: Request) -> Response:
        valid = verifier.is_valid_request(await request.body(), dict(request.headers))
        return JSONResponse({"valid": valid})

    async with listening(app(take)) as url:
        answered = await slack.people.click(f"{url}/", user="U1", action_id="go", containing="here")
    assert (answered.status, answered.body) == (200, {"valid": True})
    with pytest.raises(LookupError):
        await slack.people.click(url, user="U1", action_id="go", containing="elsewhere")


async def test_an_app_has_three_seconds(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """After that it has not answered."""
    monkeypatch.setattr(slack_people, "ANSWER_SECONDS", 0.05)

    async def take(_: Request) -> Response:
        await asyncio.sleep(0.5)
        return Response()

    async with listening(app(take)) as url:
        assert (await slack.people.click(f"{url}/", user="U1", action_id="go")).status == 0


async def test_an_address_takes_five_answers(slack: Slack) -> None:
    """One person is told, or everybody by another text in the message's place."""
    message = slack.messages[0]
    url = slack.people.clicked("U1", message, BUTTON)["response_url"]
    async with httpx.AsyncClient(trust_env=False) as client:
        for number in range(4):
            told = {"response_type": "ephemeral", "replace_original": False, "text": f"{number}"}
            assert (await client.post(url, json=told)).status_code == 200
        assert (await client.post(url, json={"replace_original": True, "text": "done"})).status_code == 200
        assert (await client.post(url, json={"text": "once more"})).text == "used_url"
    assert slack.people.told_to("U1") == ["0", "1", "2", "3"]
    assert (message["text"], "blocks" in message) == ("done", False)


def test_a_trigger_opens_one_dialog_within_three_seconds() -> None:
    """Then it is expired, or used up."""
    triggers = Triggers()
    early, late = triggers.new("U1", 0.0), triggers.new("U1", 0.0)
    assert triggers.use(early, slack_views.TRIGGER_SECONDS) == ("U1", "")
    assert triggers.use(early, 1.0) == ("", "exchanged_trigger_id")
    assert triggers.use(late, slack_views.TRIGGER_SECONDS + 0.1) == ("", "expired_trigger_id")
    assert triggers.use("1.2.3", 0.0) == ("", "invalid_trigger_id")


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "home"},
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"submit": None},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"blocks": []},
        {"blocks": VIEW["blocks"] * 2},
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]},
        {"blocks": [VIEW["blocks"][0] | {"element": {"type": "static_select", "options": []}}]},
        {"blocks": [VIEW["blocks"][0] | {"element": {"type": "plain_text_input", "max_length": 3001}}]},
    ],
)
def test_a_dialog_beyond_the_limits_is_refused(wrong: dict[str, Any]) -> None:
    """As Slack refuses it."""
    assert view_problems(VIEW) == []
    assert view_problems(VIEW | wrong) != []
