"""Slack: posting once, finding again, and what its errors mean."""

import json
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.channels.slack import Slack
from blocks.transport.errors import NotFound, OutsideError, Refused, Unauthenticated, Unavailable
from deployments.drill.world.channels.slack import CHANNEL_ID, FOREIGN_CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.outside_text.slack import SlackText

KEYS = Keys.generated(random.Random(11))  # noqa: S311 - repeatable on purpose


def an_hour_ago() -> datetime:
    """Before everything that a test posts."""
    return datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
async def channel() -> AsyncIterator[tuple[Workspace, Slack]]:
    """An imitated workspace, and a block for its incident channel."""
    workspace = Workspace(KEYS)
    async with listening(workspace.app) as url:
        yield workspace, Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{url}/api")


def canned(httpserver: HTTPServer, **settings: Any) -> Slack:
    """A block whose Slack gives canned answers."""
    return Slack(token=KEYS.slack_token, channel="C1", base_url=httpserver.url_for("/api/"), **settings)


async def test_a_message_is_posted_with_its_effect(channel: tuple[Workspace, Slack]) -> None:
    """The effect's id travels in the message's metadata, and the message is found by it."""
    workspace, slack = channel
    await slack.post(SlackText("something else"), effect_id="inc-1-announce-0")

    posted = await slack.post(SlackText("🔴 P1 INCIDENT"), effect_id="inc-1-announce-1")

    assert workspace.messages[-1]["text"] == "🔴 P1 INCIDENT"
    assert await slack.find("inc-1-announce-1", oldest=an_hour_ago()) == posted
    assert await slack.find("inc-1-announce-2", oldest=an_hour_ago()) is None


async def test_a_reply_is_found_in_its_thread(channel: tuple[Workspace, Slack]) -> None:
    """An update is threaded onto the announcement and looked for there."""
    _, slack = channel
    parent = await slack.post(SlackText("down"), effect_id="one")

    reply = await slack.post(SlackText("up again"), effect_id="two", thread_ts=parent.ts)

    assert await slack.find("two", oldest=an_hour_ago(), thread_ts=parent.ts) == reply
    assert await slack.find("two", oldest=an_hour_ago()) is None


async def test_a_reply_can_be_shown_in_the_channel_too(channel: tuple[Workspace, Slack]) -> None:
    """Broadcast, it is in both; a message that is no reply is in the channel anyway."""
    workspace, slack = channel
    parent = await slack.post(SlackText("down"), effect_id="one", broadcast=True)

    reply = await slack.post(SlackText("still down"), effect_id="two", thread_ts=parent.ts, broadcast=True)

    assert await slack.find("two", oldest=an_hour_ago(), thread_ts=parent.ts) == reply
    assert await slack.find("two", oldest=an_hour_ago()) == reply
    assert [message.get("subtype") for message in workspace.messages] == [None, "thread_broadcast"]


async def test_what_is_too_long_is_cut_with_a_mark(channel: tuple[Workspace, Slack]) -> None:
    """Slack refuses long texts; what is cut says so."""
    workspace, slack = channel

    await slack.post(SlackText("x" * 50_000), effect_id="one")

    assert workspace.messages[-1]["text"].endswith("(cut)")


async def test_slack_is_told_to_look_for_nothing_but_markup(httpserver: HTTPServer) -> None:
    """An address or a name in a text makes no link, no preview and no mention."""
    httpserver.expect_request("/api/chat.postMessage").respond_with_json(
        {"ok": True, "channel": "C1", "ts": "1.2"}
    )

    await canned(httpserver).post(SlackText("see http://example.com @here"), effect_id="one")

    sent = httpserver.log[0][0].get_json()
    assert (sent["parse"], sent["link_names"]) == ("none", False)
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)


@pytest.mark.parametrize(
    ("settings", "kind", "next_step"),
    [
        ({"token": SecretStr("xoxb-1-wrong")}, Unauthenticated, "token"),
        ({"channel": "C0NOWHERE"}, NotFound, "ID"),
        ({"channel": FOREIGN_CHANNEL_ID}, Refused, "nvite"),
    ],
)
async def test_a_refusal_says_what_to_do(
    channel: tuple[Workspace, Slack], settings: dict[str, Any], kind: type[OutsideError], next_step: str
) -> None:
    """Slack's errors come with status 200; each has its own next step."""
    _, slack = channel

    with pytest.raises(kind) as caught:
        await slack.model_copy(update=settings).post(SlackText("hello"), effect_id="one")

    assert next_step in caught.value.next_step


async def test_a_short_rate_limit_is_waited_out(httpserver: HTTPServer) -> None:
    """A 429 with a short wait is repeated by the vendor's client, and the message is posted once."""
    httpserver.expect_ordered_request("/api/chat.postMessage").respond_with_json(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "0"}
    )
    httpserver.expect_ordered_request("/api/chat.postMessage").respond_with_json(
        {"ok": True, "channel": "C1", "ts": "1.2"}
    )

    posted = await canned(httpserver).post(SlackText("hello"), effect_id="one")

    assert posted.ts == "1.2"
    assert len(httpserver.log) == 2


async def test_a_long_rate_limit_is_handed_back(httpserver: HTTPServer) -> None:
    """A wait over the timeout is not slept through; the one who retries is told how long it is."""
    httpserver.expect_request("/api/chat.postMessage").respond_with_json(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "120"}
    )
    started = time.monotonic()

    with pytest.raises(Unavailable) as caught:
        await canned(httpserver).post(SlackText("hello"), effect_id="one")

    assert caught.value.retry_after_seconds == 120
    assert time.monotonic() - started < 5
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("body", "status", "kind", "landed"),
    [
        ("<html>sorry</html>", 503, Unavailable, True),
        ("<html>hello</html>", 200, Unavailable, True),
        ("{broken", 200, Unavailable, True),
        ("[" * 200_000, 200, Unavailable, True),
        (json.dumps({"ok": False, "error": "internal_error"}), 200, Unavailable, True),
        (json.dumps({"ok": False, "error": "service_unavailable"}), 200, Unavailable, False),
        (json.dumps({"ok": False, "error": "msg_too_long"}), 200, Refused, False),
    ],
)
async def test_other_answers_are_errors_too(
    httpserver: HTTPServer, body: str, status: int, kind: type[OutsideError], landed: bool
) -> None:
    """Error pages, other pages, broken JSON and Slack's own failures: some hide whether it was posted."""
    httpserver.expect_request("/api/chat.postMessage").respond_with_data(body, status=status)

    with pytest.raises(OutsideError) as caught:
        await canned(httpserver).post(SlackText("hello"), effect_id="one")

    assert type(caught.value) is kind
    assert getattr(caught.value, "may_have_landed", False) is landed


@pytest.mark.parametrize(("server", "landed"), [("nobody", False), ("silent", True), ("hanging_up", True)])
async def test_no_answer_may_heal_and_nothing_is_repeated(
    request: pytest.FixtureRequest, server: str, landed: bool
) -> None:
    """A lost answer leaves open whether the message is there; the block does not post it again by itself."""
    url = request.getfixturevalue(server)
    block = Slack(token=KEYS.slack_token, channel="C1", base_url=url, timeout_seconds=1)

    with pytest.raises(Unavailable) as caught:
        await block.post(SlackText("hello"), effect_id="one")

    assert caught.value.may_have_landed is landed
    assert len(getattr(url, "requests", [])) <= 1


async def test_a_long_history_is_paged_through(httpserver: HTTPServer) -> None:
    """The message may be on a later page of the channel's history."""
    found = {
        "ts": "5.0",
        "metadata": {"event_type": "runbook_effect", "event_payload": {"effect_id": "one"}},
    }
    httpserver.expect_ordered_request("/api/conversations.history").respond_with_json(
        {"ok": True, "messages": [{"ts": "9.0"}], "response_metadata": {"next_cursor": "abc"}}
    )
    httpserver.expect_ordered_request("/api/conversations.history").respond_with_json(
        {"ok": True, "messages": [found], "response_metadata": {"next_cursor": ""}}
    )

    message = await canned(httpserver).find("one", oldest=an_hour_ago())

    assert message is not None
    assert message.ts == "5.0"
    assert [request.form.get("cursor") for request, _ in httpserver.log] == [None, "abc"]
