"""Slack's Web API and webhook in their real shapes and limits, read with Slack's own client too."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient

from deployments.drill.world.channels.slack import CHANNEL_ID, FOREIGN_CHANNEL_ID, Slack
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(7))  # noqa: S311  repeatable on purpose
TOKEN = KEYS.slack_token.get_secret_value()


@pytest.fixture
async def slack() -> AsyncIterator[tuple[Slack, httpx.AsyncClient]]:
    """Serve the workspace and give a client with the bot's token."""
    workspace = Slack(KEYS)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with listening(workspace.app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield workspace, client


async def call(client: httpx.AsyncClient, method: str, **args: Any) -> dict[str, Any]:
    """Call a method in the incident channel and return its answer, whatever it says."""
    answer = await client.post(f"/api/{method}", json={"channel": CHANNEL_ID, **args})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_a_thread_is_read_back_with_its_metadata(slack: tuple[Slack, httpx.AsyncClient]) -> None:
    """A reply is found in its thread and not in the channel; metadata comes back only when asked for."""
    _, client = slack
    metadata = {"event_type": "incident", "event_payload": {"id": "one"}}
    parent = await call(client, "chat.postMessage", text="down", metadata=metadata)
    reply = await call(client, "chat.postMessage", text="up", thread_ts=parent["ts"])
    history = await call(client, "conversations.history", include_all_metadata=True)
    assert [(m["ts"], m["metadata"], m["reply_count"]) for m in history["messages"]] == [
        (parent["ts"], metadata, 1)
    ]
    replies = await call(client, "conversations.replies", ts=parent["ts"])
    assert [message["ts"] for message in replies["messages"]] == [parent["ts"], reply["ts"]]
    assert "metadata" not in replies["messages"][0]


async def test_a_reply_that_is_broadcast_is_in_the_channel_too(
    slack: tuple[Slack, httpx.AsyncClient],
) -> None:
    """It is found in its thread and, with a subtype of its own, in the channel's history."""
    _, client = slack
    parent = await call(client, "chat.postMessage", text="down")
    reply = await call(
        client, "chat.postMessage", text="still down", thread_ts=parent["ts"], reply_broadcast=True
    )
    history = (await call(client, "conversations.history"))["messages"]
    assert [(m["ts"], m.get("subtype")) for m in history] == [
        (reply["ts"], "thread_broadcast"),
        (parent["ts"], None),
    ]
    replies = await call(client, "conversations.replies", ts=parent["ts"])
    assert [message["ts"] for message in replies["messages"]] == [parent["ts"], reply["ts"]]


async def test_an_update_changes_the_message_in_place(slack: tuple[Slack, httpx.AsyncClient]) -> None:
    """chat.update keeps the ts, and refuses a message that is not there."""
    workspace, client = slack
    ts = (await call(client, "chat.postMessage", text="down"))["ts"]
    assert (await call(client, "chat.update", ts=ts, text="up"))["ts"] == ts
    assert [message["text"] for message in workspace.messages] == ["up"]
    assert (await call(client, "chat.update", ts="1.0", text="up"))["error"] == "message_not_found"


def button(**changes: Any) -> dict[str, Any]:
    """Return a button block element."""
    text = {"type": "plain_text", "text": changes.pop("text", "Approve")}
    return {"type": "button", "action_id": "a", "text": text, **changes}


def section(length: int) -> dict[str, Any]:
    """Return a section block with a text of that length."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"text": "hello", "channel": "C0NOWHERE"}, "channel_not_found"),
        ({"text": "hello", "channel": FOREIGN_CHANNEL_ID}, "not_in_channel"),
        ({"text": "hello", "thread_ts": "1.000000"}, "thread_not_found"),
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [section(100)] * 51}, "invalid_blocks"),
        ({"blocks": [section(3_001)]}, "invalid_blocks"),
        (
            {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
            "invalid_blocks",
        ),
        ({"blocks": [{"type": "actions", "elements": [button()] * 26}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(text="x" * 76)]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(value="x" * 2_001)]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(), button()]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button() | {"style": "loud"}]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(action_id="x" * 256)]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "poster"}]}, "invalid_blocks"),
        ({"blocks": [section(2_900)] * 5}, "msg_blocks_too_long"),
        ({"blocks": "what"}, "invalid_blocks_format"),
    ],
)
async def test_what_slack_would_refuse_is_refused(
    slack: tuple[Slack, httpx.AsyncClient], args: dict[str, Any], error: str
) -> None:
    """Each limit answers HTTP 200 with Slack's own error, and nothing is posted."""
    workspace, client = slack
    answer = await call(client, "chat.postMessage", **args)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert workspace.messages == []


@pytest.mark.parametrize(("token", "error"), [("xoxb-wrong", "invalid_auth"), ("", "not_authed")])
async def test_a_bad_token_is_an_answer_with_status_200(
    slack: tuple[Slack, httpx.AsyncClient], token: str, error: str
) -> None:
    """Slack reports a bad token in the body, not in the status."""
    headers = {"Authorization": f"Bearer {token}" if token else ""}
    answer = await slack[1].post("/api/auth.test", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (200, error)


async def test_too_many_messages_meet_the_rate_limit(slack: tuple[Slack, httpx.AsyncClient]) -> None:
    """A burst passes; after it Slack answers 429 with the seconds to wait."""
    _, client = slack
    answers = [
        await client.post("/api/chat.postMessage", json={"channel": CHANNEL_ID, "text": str(n)})
        for n in range(12)
    ]
    assert answers[0].status_code == 200
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert limited[0].headers["Retry-After"] == "1"
    assert limited[0].json() == {"ok": False, "error": "ratelimited"}


async def test_slacks_own_client_understands_it(slack: tuple[Slack, httpx.AsyncClient]) -> None:
    """slack_sdk posts blocks to the channel by its name and pages through the history."""
    workspace, client = slack
    sdk = WebClient(token=TOKEN, base_url=f"{client.base_url}/api/")
    posted = await asyncio.to_thread(
        sdk.chat_postMessage, channel="#incidents", text="down", blocks=[section(9)]
    )
    assert posted["channel"] == CHANNEL_ID
    await asyncio.to_thread(sdk.chat_postMessage, channel=CHANNEL_ID, text="up")

    def texts() -> list[str]:
        return [
            page["messages"][0]["text"] for page in sdk.conversations_history(channel=CHANNEL_ID, limit=1)
        ]

    assert await asyncio.to_thread(texts) == ["up", "down"]
    assert workspace.messages[0]["blocks"] == [section(9)]


async def test_a_webhook_answers_ok_and_no_ts(slack: tuple[Slack, httpx.AsyncClient]) -> None:
    """The incoming webhook posts, answers the text ok, and knows only its own address."""
    workspace, client = slack
    path = f"/services/{KEYS.slack_webhook_path.get_secret_value()}"
    answer = await client.post(path, json={"text": "down"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert (await client.post("/services/T/B/wrong", json={"text": "down"})).text == "no_service"
    assert [message["text"] for message in workspace.messages] == ["down"]
