"""Slack: a card is posted as blocks and changed where it stands; what Slack says to that."""

import json
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.channels.channel import Editor, Post
from blocks.channels.slack import Slack
from blocks.transport.errors import Refused, Unavailable
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.card import Card
from runbook.channels.cards.standing import SHOWN
from runbook.channels.wording import REHEARSAL
from runbook.incidents.effects import Authority, Effect, EffectOutcome

KEYS = Keys.generated(random.Random(11))  # noqa: S311 - repeatable on purpose
SINCE = datetime.now(UTC) - timedelta(hours=1)
POST = Post(id="inc-1/slack/question-gate-1", since=SINCE)
NOTE = Button(kind=ButtonKind.NOTE, incident="inc-1")


def card(text: str) -> Card:
    """A card that says this."""
    return Card("notice", {"text": text, "link": ""}, (NOTE,))


def sent(receipt: dict[str, Any]) -> Effect:
    """The message that was sent."""
    return Effect(
        id=POST.id,
        kind="slack",
        target="slack",
        summary="?",
        authority=Authority.policy("ask"),
        outcome=EffectOutcome.APPLIED,
        receipt=receipt,
    )


@pytest.fixture
async def channel() -> AsyncIterator[tuple[Workspace, Slack]]:
    """An imitated workspace, and a block for its incident channel, with buttons."""
    workspace = Workspace(KEYS)
    async with listening(workspace.app) as url:
        yield (
            workspace,
            Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{url}/api", buttons=True),
        )


async def test_a_card_is_posted_as_blocks_with_its_text_whole(channel: tuple[Workspace, Slack]) -> None:
    """The text is what a notification shows; what is cut in the blocks is there."""
    workspace, slack = channel
    long = "word " * 1_500

    receipt = await slack.say(card(long), POST)

    (message,) = workspace.messages
    assert [block["type"] for block in message["blocks"]] == ["section", "actions"]
    assert message["text"].strip() == long.strip()
    assert message["blocks"][0]["text"]["text"].endswith("(cut)")
    assert message["blocks"][0]["text"]["verbatim"] is True
    assert receipt[SHOWN] == slack.shown(card(long), rehearsal=False)


async def test_a_change_is_in_place_and_keeps_what_it_is_found_by(channel: tuple[Workspace, Slack]) -> None:
    """The same again is harmless; the receipt tells what is shown."""
    workspace, slack = channel
    assert isinstance(slack, Editor)
    first = sent(await slack.say(card("asked"), POST))

    receipt = await slack.edit(first, card("answered"), rehearsal=False)
    assert await slack.edit(first, card("answered"), rehearsal=False) == receipt

    (message,) = workspace.messages
    assert message["text"] == "answered"
    assert receipt == {
        "channel": CHANNEL_ID,
        "ts": message["ts"],
        SHOWN: slack.shown(card("answered"), rehearsal=False),
    }
    found = await slack.find(POST.id, oldest=SINCE)
    assert found is not None
    assert found.ts == message["ts"]


async def test_a_rehearsal_says_so_in_text_and_blocks(channel: tuple[Workspace, Slack]) -> None:
    """Before and after a change."""
    workspace, slack = channel
    first = sent(await slack.say(card("asked"), Post(id=POST.id, since=SINCE, rehearsal=True)))
    await slack.edit(first, card("answered"), rehearsal=True)

    (message,) = workspace.messages
    assert message["text"].startswith(REHEARSAL)
    assert message["blocks"][0]["text"]["text"].startswith(REHEARSAL)
    assert slack.shown(card("x"), rehearsal=True) != slack.shown(card("x"), rehearsal=False)


async def test_a_message_that_somebody_deleted_is_a_refusal(channel: tuple[Workspace, Slack]) -> None:
    """It is not posted anew: whoever deleted it wants it gone."""
    workspace, slack = channel
    first = sent(await slack.say(card("asked"), POST))
    workspace.messages.clear()

    with pytest.raises(Refused, match="message_not_found"):
        await slack.edit(first, card("answered"), rehearsal=False)
    assert workspace.messages == []


async def test_blocks_that_slack_refuses_are_a_refusal_that_says_why(httpserver: HTTPServer) -> None:
    """Slack names the block in its explanations."""
    why = "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    answer = {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": [why]}}
    httpserver.expect_request("/api/chat.postMessage").respond_with_json(answer)
    slack = Slack(token=KEYS.slack_token, channel="C1", base_url=httpserver.url_for("/api/"))

    with pytest.raises(Refused, match="less than 3001 characters"):
        await slack.say(card("asked"), POST)


@pytest.mark.parametrize(
    ("seconds", "calls"),
    [pytest.param(1, 2, id="a short wait is kept"), pytest.param(90, 1, id="a long one is told")],
)
async def test_a_rate_limit_of_changes_is_obeyed(httpserver: HTTPServer, seconds: int, calls: int) -> None:
    """As Slack asks for by `Retry-After`: nothing is sent before that."""
    times: list[float] = []

    def answer(_: Request) -> Response:
        times.append(time.monotonic())
        if len(times) == 1:
            headers = {"Retry-After": str(seconds)}
            return Response(json.dumps({"ok": False, "error": "ratelimited"}), 429, headers)
        return Response(json.dumps({"ok": True, "channel": "C1", "ts": "1.2", "text": ""}), 200)

    httpserver.expect_request("/api/chat.update").respond_with_handler(answer)
    url = httpserver.url_for("/api/")
    slack = Slack(token=KEYS.slack_token, channel="C1", base_url=url, timeout_seconds=5)
    first = sent({"channel": "C1", "ts": "1.2"})

    if calls == 1:
        with pytest.raises(Unavailable) as caught:
            await slack.edit(first, card("answered"), rehearsal=False)
        assert caught.value.retry_after_seconds == seconds
    else:
        await slack.edit(first, card("answered"), rehearsal=False)
        assert times[1] - times[0] >= seconds
    assert len(times) == calls


async def test_a_card_is_shown_in_the_teams_own_words(channel: tuple[Workspace, Slack]) -> None:
    """A template that cannot be rendered any more gives way to the shipped one, in the same message."""
    workspace, slack = channel
    ours = slack.model_copy(update={"templates": {"notice.slack.j2": "*Ours*: {{ text }}"}})
    receipt = await ours.say(card("down"), POST)
    assert workspace.messages[0]["blocks"][0]["text"]["text"] == "*Ours*: down"

    broken = slack.model_copy(update={"templates": {"notice.slack.j2": "{{ txt }}"}})
    await broken.edit(sent(receipt), card("down"), rehearsal=False)
    first, note, buttons = workspace.messages[0]["blocks"]
    assert first["text"]["text"] == "down"
    assert "Your template notice.slack.j2 cannot be used: " in note["text"]["text"]
    assert buttons["type"] == "actions"
