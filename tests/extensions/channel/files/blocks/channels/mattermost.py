"""Mattermost: the incident channel, by a bot account and API v4.

Every post carries its effect's id among its properties, so that after a crash it is found, not posted again.
"""

from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, JsonValue, SecretStr

from blocks.channels.channel import Audience, Post, Receipt
from blocks.transport.errors import having_sent
from blocks.transport.http import exchange, json_object
from blocks.transport.translating import refusal, unreadable
from runbook.channels.messages import About, Message, MessageFacts, update_message
from runbook.channels.wording import REHEARSAL
from runbook.outside_text import let_in_line
from runbook.templates.environments import render_markdown

_SYSTEM = "Mattermost"
_EFFECT = "runbook_effect"
_LONGEST = 16_383  # characters of a post
_NO_MENTION = str.maketrans({"@": "\N{FULLWIDTH COMMERCIAL AT}"})  # `@channel` would wake everybody up


class Mattermost(Block):
    """Where the team is told what happens."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook Mattermost"
    _block_type_slug: ClassVar[str] = "runbook-mattermost"
    _description: ClassVar[str] = "The Mattermost channel that incidents are announced in."

    kind: ClassVar[str] = "mattermost"
    audience: ClassVar[Audience] = Audience.TEAM

    url: str = Field(title="URL", description="Address of the Mattermost server.")
    token: SecretStr = Field(
        title="Bot token", description="Access token of a bot that may post in the channel and read it."
    )
    channel_id: str = Field(title="Channel ID", description="ID of the channel, from its information page.")
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    async def find_sent(self, post: Post) -> Receipt | None:
        """The post that carries the id, where it may have been sent before.

        Raises:
            OutsideError: the channel cannot be read.
        """
        if not (post.known or post.tried):
            return None
        since = {"since": str(int(post.since.timestamp() * 1000))}
        answer = await self._request("GET", f"/channels/{self.channel_id}/posts", params=since)
        for found in answer.get("posts", {}).values():
            if found.get("props", {}).get(_EFFECT) == post.id:
                return {"post": str(found["id"])}
        return None

    def headline(self, facts: MessageFacts) -> str:
        """The first line of the announcement."""
        return self.first_line(update_message(facts))

    def first_line(self, message: Message) -> str:
        """The first line of the message."""
        return let_in_line(_text(message).partition("\n")[0], 200)

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Post the state of the incident.

        Raises:
            OutsideError: see `say`.
        """
        return await self.say(update_message(facts), post)

    async def say(self, message: Message, post: Post) -> Receipt:
        """Post into the incident's thread, which its first message opens; a loud one stands by itself.

        Raises:
            Unavailable: Mattermost cannot be reached, or its answer was lost.
            Refused: the token or the channel is not right.
        """
        thread = next((str(it.receipt["post"]) for it in post.earlier if it.receipt.get("post")), "")
        thread = "" if post.loud else thread
        text = f"{REHEARSAL}\n{_text(message)}" if post.rehearsal else _text(message)
        if not thread and post.about is not None:
            text += f"\n\n{_about(post.about)}"
        with having_sent():
            answer = await self._request(
                "POST",
                "/posts",
                body={
                    "channel_id": self.channel_id,
                    "message": text[:_LONGEST],
                    "root_id": thread,
                    "props": {_EFFECT: post.id},
                },
            )
            if not answer.get("id"):
                raise unreadable(_SYSTEM, self.url, "it names no post")
        return {"post": str(answer["id"])}

    def reference(self, receipt: Receipt) -> str:
        """The post's id."""
        return str(receipt.get("post", ""))

    async def _request(
        self, method: str, path: str, *, body: JsonValue = None, params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        token = self.token.get_secret_value()
        response = await exchange(
            _SYSTEM,
            method,
            f"{self.url.rstrip('/')}/api/v4{path}",
            headers={"Authorization": f"Bearer {token}"},
            params=params,
            body=body,
            timeout_seconds=self.timeout_seconds,
            secrets=[token],
        )
        if not response.is_success:
            raise refusal(response, system=_SYSTEM, secrets=[token])
        return json_object(_SYSTEM, response)


def _text(message: Message) -> str:
    return str(render_markdown(f"{message.template}.mattermost.j2", **message.values)).translate(_NO_MENTION)


def _about(about: About) -> str:
    return str(render_markdown("about.mattermost.j2", about=about)).translate(_NO_MENTION)
