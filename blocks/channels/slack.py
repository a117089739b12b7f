"""Slack: the incident channel.

Every message carries its effect's id, so that after a crash it is found instead of posted again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from blocks.channels.channel import Audience, Post, Receipt
from blocks.channels.slack_access import SlackAccess, read_access
from blocks.channels.slack_client import SYSTEM, SlackClient, wish
from blocks.transport.errors import (
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
    having_sent,
)
from blocks.transport.threads import Threads
from runbook.channels.messages import Message, MessageFacts, in_slack, update_message
from runbook.channels.wording import REHEARSAL
from runbook.incidents.effects import Effect
from runbook.outside_text.slack import SlackText, cut_message, said
from runbook.redaction import redact
from runbook.value import Value

_EVENT_TYPE = "runbook_effect"
_NOT_JSON = "Received a response in a non-JSON format"  # slack_sdk's word for HTML and the like
_PER_REQUEST = 200
_REQUESTS = 10
_CLOCK_MARGIN = timedelta(hours=1)  # Slack's clock dates the messages, and ours may be another
_THREADS = Threads("slack", 8)

_NEXT_STEPS = {
    "invalid_auth": "Put a valid bot token into the Slack block",
    "not_authed": "Put a bot token into the Slack block",
    "account_inactive": "Put the token of an active app into the Slack block",
    "token_revoked": "Put a new bot token into the Slack block",
    "token_expired": "Put a new bot token into the Slack block",
    "not_in_channel": "Invite the app to the channel: /invite @app",
    "channel_not_found": "Configure the channel's ID (C…) and invite the app to it",
    "is_archived": "Configure another channel",
    "missing_scope": "Give the app the scopes chat:write, channels:history and groups:history",
}
_UNAUTHENTICATED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
)
_TRANSIENT = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout"})


class SlackMessage(Value):
    """A message that is in Slack. Channel and `ts` together identify it."""

    channel: str
    ts: str


class Slack(Block):
    """Where the team is told what happens."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook Slack"
    _block_type_slug: ClassVar[str] = "runbook-slack"
    kind: ClassVar[str] = "slack"
    audience: ClassVar[Audience] = Audience.TEAM

    _description: ClassVar[str] = "The Slack channel that incidents are announced in."

    token: SecretStr = Field(
        title="Bot token",
        description="Starts with xoxb-; needs chat:write and channels:history (groups:history if private).",
    )
    channel: str = Field(
        title="Channel", description="ID of the channel (C…): a name can be posted to, but not searched."
    )
    base_url: str = Field(
        default="https://slack.com/api/", title="Base URL", description="Slack's Web API or a relay of it."
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    async def find_sent(self, post: Post) -> Receipt | None:
        """The receipt of a message that may have been sent; a new one is not looked for.

        Raises:
            Unavailable: Slack cannot be reached, or there is more history than can be looked through.
            Refused: token, scope or channel are not right.
        """
        if not (post.known or post.tried):
            return None
        found = await self.find(post.id, oldest=post.since, thread_ts=_thread(post.earlier))
        return _receipt(found) if found else None

    def headline(self, facts: MessageFacts) -> str:
        """The first line of the announcement."""
        return self.first_line(update_message(facts))

    def first_line(self, message: Message) -> str:
        """The first line of the message."""
        return said(in_slack(message))

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Post the runbook's internal template.

        Raises:
            OutsideError: see `post`.
        """
        return await self.say(update_message(facts), post)

    async def say(self, message: Message, post: Post) -> Receipt:
        """Post into the incident's thread, which its first message opens.

        Raises:
            OutsideError: see `post`.
        """
        text = in_slack(message)
        if post.rehearsal:
            text = SlackText(f"{REHEARSAL}\n{text}")
        thread = _thread(post.earlier)
        return _receipt(await self.post(text, effect_id=post.id, thread_ts=thread, broadcast=post.loud))

    def reference(self, receipt: Receipt) -> str:
        """The timestamp, which names a message within its channel."""
        return str(receipt.get("ts", ""))

    async def post(
        self,
        text: SlackText,
        *,
        effect_id: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> SlackMessage:
        """Post a message. It is not repeated when its answer is lost: `find` tells whether it is there.

        A reply in a thread is seen by those who follow the thread; `broadcast` shows it in the channel too.
        Text over Slack's limit is cut. Slack looks for no links and names in it, only at its markup.

        Raises:
            Unavailable: Slack cannot be reached or asks for a longer wait than the timeout.
            Refused: token, scope or channel are not right.
        """
        with having_sent():
            answer = await self._call(
                "post",
                lambda client: client.chat_postMessage(
                    channel=self.channel,
                    text=str(cut_message(text)),
                    parse="none",
                    link_names=False,
                    thread_ts=thread_ts,
                    reply_broadcast=broadcast if thread_ts else None,
                    metadata={"event_type": _EVENT_TYPE, "event_payload": {"effect_id": effect_id}},
                    unfurl_links=False,
                    unfurl_media=False,
                ),
            )
            if not answer.get("ts"):
                raise Unreadable(SYSTEM, "the answer does not identify the message", "Check the base URL")
        return SlackMessage(channel=str(answer.get("channel") or self.channel), ts=str(answer["ts"]))

    async def find(
        self, effect_id: str, *, oldest: datetime, thread_ts: str | None = None
    ) -> SlackMessage | None:
        """The message of an effect, looked for in the channel (or a thread) since `oldest` (aware).

        Raises:
            Unavailable: Slack cannot be reached, or there is more history than can be looked through.
            Refused: token, scope or channel are not right.
        """
        since, cursor = oldest - _CLOCK_MARGIN, ""
        for _ in range(_REQUESTS):
            request = partial(
                _history, channel=self.channel, oldest=since, thread_ts=thread_ts, cursor=cursor
            )
            answer = await self._call("search", request)
            for message in answer.get("messages", []):
                if _effect_of(message) == effect_id:
                    return SlackMessage(channel=self.channel, ts=str(message["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        raise Unavailable(
            SYSTEM, f"more than {_REQUESTS * _PER_REQUEST} messages since {oldest:%H:%M}", "Check the channel"
        )

    async def check(self) -> SlackAccess:
        """Who we are there, once the channel could be read. Nothing is posted.

        Raises:
            Unavailable: Slack cannot be reached.
            Refused: token, scope or channel are not right.
        """
        return await read_access(self._call, self.channel)

    async def _call(self, what: str, request: Callable[[WebClient], SlackResponse]) -> dict[str, Any]:
        client = SlackClient(
            token=self.token.get_secret_value(),
            base_url=f"{self.base_url.rstrip('/')}/",
            timeout_seconds=self.timeout_seconds,
        )
        try:
            answer = await _THREADS.run(partial(request, client))
        except SlackApiError as error:
            raise self._refusal(what, error) from None
        except (SlackClientError, ValueError, LookupError, RecursionError) as error:  # what is no JSON
            raise Unreadable(SYSTEM, self._hide(str(error)), "Check the base URL") from None
        data = answer.data
        if not isinstance(data, dict):
            raise Unreadable(SYSTEM, "the answer is not JSON", "Check the base URL")
        return data

    def _hide(self, text: str) -> str:
        return redact(text, [self.token.get_secret_value()])

    def _refusal(self, what: str, error: SlackApiError) -> OutsideError:
        """What an answer with `ok: false` means."""
        response = error.response
        data = response.data if isinstance(response.data, dict) else {}
        code = str(data.get("error") or f"HTTP {response.status_code}")
        not_json = code.startswith(_NOT_JSON)
        if not_json:
            code = f"HTTP {response.status_code} without JSON"
        detail = self._hide(f"cannot {what} in {self.channel}: {code}")
        if code in _TRANSIENT or response.status_code == 429 or response.status_code >= 500:
            wished = wish(response.headers)
            return Unavailable(
                SYSTEM,
                detail,
                http_status=response.status_code,
                retry_after_seconds=wished,
                # Slack's own words: "it's possible some aspect of the operation succeeded before the error"
                may_have_landed=code in _PERHAPS_DONE or response.status_code >= 500,
            )
        if not_json:
            return Unreadable(SYSTEM, detail, "Check the base URL")
        next_step = _NEXT_STEPS.get(code, "See Slack's documentation of this error")
        if code in _UNAUTHENTICATED:
            return Unauthenticated(SYSTEM, detail, next_step)
        if code == "channel_not_found":
            return NotFound(SYSTEM, detail, next_step)
        return Refused(SYSTEM, detail, next_step)


def _receipt(message: SlackMessage) -> Receipt:
    return {"channel": message.channel, "ts": message.ts}


def _thread(earlier: Sequence[Effect]) -> str | None:
    """The timestamp of the incident's first message."""
    sent = (effect.receipt.get("ts") for effect in earlier)
    return next((str(ts) for ts in sent if ts), None)


def _history(
    client: WebClient, *, channel: str, oldest: datetime, thread_ts: str | None, cursor: str
) -> SlackResponse:
    window: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{oldest.timestamp():.6f}",
        "include_all_metadata": True,
        "limit": _PER_REQUEST,
        "cursor": cursor or None,
    }
    if thread_ts:
        return client.conversations_replies(ts=thread_ts, **window)
    return client.conversations_history(**window)


def _effect_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != _EVENT_TYPE:
        return None
    effect_id: str | None = (metadata.get("event_payload") or {}).get("effect_id")
    return effect_id
