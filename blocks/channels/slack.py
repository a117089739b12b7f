"""Slack: the incident channel.

Every message carries its effect's id, so that after a crash it is found instead of posted again.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from blocks.channels.channel import Audience, Post, Receipt, SharedFile
from blocks.channels.slack_access import SlackAccess, read_access
from blocks.channels.slack_client import SYSTEM, SlackClient
from blocks.channels.slack_errors import refusal
from blocks.channels.slack_files import file_of, share
from blocks.channels.slack_search import PER_REQUEST, effect_of, history, metadata, thread_of
from blocks.transport.errors import Unavailable, Unreadable, having_sent
from blocks.transport.threads import Threads
from runbook.channels.cards.card import Card
from runbook.channels.cards.slack_blocks import SlackBlock, blocks_of
from runbook.channels.cards.standing import SHOWN
from runbook.channels.messages import About, Message, MessageFacts, in_slack, update_message
from runbook.channels.wording import REHEARSAL
from runbook.incidents.effects import Effect
from runbook.outside_text.slack import SlackText, cut_message, said
from runbook.redaction import redact
from runbook.value import Value

_DIGEST_LETTERS = 16
_REQUESTS = 10
_CLOCK_MARGIN = timedelta(hours=1)  # Slack's clock dates the messages, and ours may be another
_THREADS = Threads("slack", 8)
_Content = tuple[SlackText, list[SlackBlock]]


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
        description="Starts with xoxb-; needs chat:write, channels:history (groups:history if private) "
        "and, for whole diffs and charts, files:write.",
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
    buttons: bool = Field(
        default=False,
        title="Buttons",
        description="Whether messages have buttons. Only where the receiver takes Slack's requests: "
        "`runbook configure` sets it where [receiver.slack] is.",
    )
    templates: dict[str, str] = Field(
        default={},
        title="Templates",
        description="The team's own message templates by name: `runbook configure` reads them from the "
        "folder of [templates].",
    )

    async def find_sent(self, post: Post) -> Receipt | None:
        """The receipt of a message that may have been sent; a new one is not looked for.

        Raises:
            Unavailable: Slack cannot be reached, or there is more history than can be looked through.
            Refused: token, scope or channel are not right.
        """
        if not (post.known or post.tried):
            return None
        found = await self.find(post.id, oldest=post.since, thread_ts=thread_of(post.earlier))
        return _receipt(found) if found else None

    def headline(self, facts: MessageFacts) -> str:
        """The first line of the announcement."""
        return self.first_line(update_message(facts))

    def first_line(self, message: Message) -> str:
        """The first line of the message."""
        return said(in_slack(message, self.templates))

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Post the runbook's internal template.

        Raises:
            OutsideError: see `post`.
        """
        return await self.say(update_message(facts), post)

    async def say(self, message: Message, post: Post) -> Receipt:
        """Post into the incident's thread, which its first message opens; a card as blocks.

        Raises:
            OutsideError: see `post`.
        """
        thread = thread_of(post.earlier)
        about = None if thread or isinstance(message, Card) else post.about  # a card names it by itself
        text, blocks = self._content(message, rehearsal=post.rehearsal, about=about)
        posted = await self.post(
            text, effect_id=post.id, thread_ts=thread, broadcast=post.loud, blocks=blocks
        )
        receipt = _receipt(posted)
        return receipt | {SHOWN: _digest(text, blocks)} if isinstance(message, Card) else receipt

    def shown(self, card: Card, *, rehearsal: bool) -> str:
        """A digest of text and blocks."""
        return _digest(*self._content(card, rehearsal=rehearsal))

    async def edit(self, sent: Effect, card: Card, *, rehearsal: bool) -> Receipt:
        """Change the message to this card. Nobody is notified, and it keeps the effect that it is found by.

        Raises:
            Unavailable: Slack cannot be reached or asks for a longer wait than the timeout.
            Refused: token, scope or channel are not right, or the message was deleted.
        """
        text, blocks = self._content(card, rehearsal=rehearsal)
        message = SlackMessage.model_validate(
            {name: sent.receipt.get(name) for name in SlackMessage.model_fields}
        )
        with having_sent():
            await self._call(
                "update",
                lambda client: client.chat_update(
                    channel=message.channel,
                    ts=message.ts,
                    text=str(cut_message(text)),
                    blocks=blocks,
                    parse="none",
                    link_names=False,
                    metadata=metadata(sent.id),
                ),
            )
        return _receipt(message) | {SHOWN: _digest(text, blocks)}

    def _content(self, message: Message, *, rehearsal: bool, about: About | None = None) -> _Content:
        """The text of a message, and the blocks that Slack shows in its place where it is a card."""
        text = in_slack(message, self.templates, about=about)
        if rehearsal:
            text = SlackText(f"{REHEARSAL}\n{text}")
        if not isinstance(message, Card):
            return text, []
        return text, blocks_of(text, message.buttons if self.buttons else ())

    async def share(self, file: SharedFile, post: Post) -> Receipt:
        """Put the file into the incident's thread. No scope but `files:write` is needed.

        Raises:
            Unavailable: Slack cannot be reached; only the last of the three requests may have shared it.
            Refused: token, scope or channel are not right, or the upload was not taken.
        """
        return await share(
            self._call, file, self.channel, thread_of(post.earlier), timeout_seconds=self.timeout_seconds
        )

    async def find_shared(self, name: str, post: Post) -> Receipt | None:
        """The file with that name in the thread, as the thread shows it. Slack shows it a while after.

        Raises:
            OutsideError: see `find`.
        """
        thread = thread_of(post.earlier)
        shown = [file_of(it, name) async for it in self._messages(post.since, thread)]
        return next((receipt for receipt in shown if receipt is not None), None)

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
        blocks: Sequence[SlackBlock] = (),
    ) -> SlackMessage:
        """Post a message. It is not repeated when its answer is lost: `find` tells whether it is there.

        A reply in a thread is seen by those who follow the thread; `broadcast` shows it in the channel too.
        Text over Slack's limit is cut; with `blocks` it is for notifications only. Slack looks for no links
        and names in it, only at its markup.

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
                    blocks=list(blocks) or None,
                    parse="none",
                    link_names=False,
                    thread_ts=thread_ts,
                    reply_broadcast=broadcast if thread_ts else None,
                    metadata=metadata(effect_id),
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
        async for message in self._messages(oldest, thread_ts):
            if effect_of(message) == effect_id:
                return SlackMessage(channel=self.channel, ts=str(message["ts"]))
        return None

    async def _messages(self, oldest: datetime, thread_ts: str | None) -> AsyncIterator[dict[str, Any]]:
        since, cursor = oldest - _CLOCK_MARGIN, ""
        for _ in range(_REQUESTS):
            request = partial(history, channel=self.channel, oldest=since, thread_ts=thread_ts, cursor=cursor)
            answer = await self._call("search", request)
            for message in answer.get("messages", []):
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
        raise Unavailable(
            SYSTEM, f"more than {_REQUESTS * PER_REQUEST} messages since {oldest:%H:%M}", "Check the channel"
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
            raise refusal(what, self.channel, error, secret=self.token.get_secret_value()) from None
        except (SlackClientError, ValueError, LookupError, RecursionError) as error:  # what is no JSON
            raise Unreadable(SYSTEM, self._hide(str(error)), "Check the base URL") from None
        data = answer.data
        if not isinstance(data, dict):
            raise Unreadable(SYSTEM, "the answer is not JSON", "Check the base URL")
        return data

    def _hide(self, text: str) -> str:
        return redact(text, [self.token.get_secret_value()])


def _receipt(message: SlackMessage) -> Receipt:
    return {"channel": message.channel, "ts": message.ts}


def _digest(text: SlackText, blocks: Sequence[SlackBlock]) -> str:
    content = json.dumps([str(text), list(blocks)], ensure_ascii=False, sort_keys=True)
    return sha256(content.encode()).hexdigest()[:_DIGEST_LETTERS]
