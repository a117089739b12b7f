"""The sides of a block: a channel for the team, and one for support that is told in a text of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import Field

from blocks.channels.channel import Audience, Channel, Post, Receipt
from blocks.transport.errors import Unavailable
from runbook.channels.messages import Message, MessageFacts, update_message
from runbook.channels.text_messages import TextStyle, in_text, naming
from runbook.channels.wording import REHEARSAL
from runbook.outside_text.mail import mail_subject
from runbook.support.facts import support_message

Audiences = Annotated[
    tuple[Literal["team", "support"], ...],
    Field(min_length=1, title="Audiences", description="Whom it is for: team, support or both."),
]
Templates = Annotated[
    dict[str, str],
    Field(
        title="Templates",
        description="The team's own message templates by name: `runbook configure` reads them from the "
        "folder of [templates].",
    ),
]


class Sender(Protocol):
    """What sends the messages of both sides."""

    system: ClassVar[str]
    style: ClassVar[TextStyle]
    templates: dict[str, str]

    async def send(self, text: str, *, subject: str, post: Post, support: bool) -> Receipt:
        """Send a text to the team, or to support.

        Raises:
            OutsideError: it was not sent, or nobody can tell.
        """

    async def try_out(self, *, support: bool) -> tuple[str, bool]:
        """See `Triable.prove`."""


@dataclass(frozen=True, repr=False)
class Side:
    """What both sides have in common."""

    sender: Sender
    is_support: ClassVar[bool] = False
    unsearchable: ClassVar[bool] = True

    @property
    def templates(self) -> Mapping[str, str]:
        """The team's own templates."""
        return self.sender.templates

    async def find_sent(self, post: Post) -> Receipt | None:
        """Nothing, as long as it is known that it was not sent.

        Raises:
            Unavailable: it may have been sent, and there is no way to look.
        """
        known = next((effect for effect in post.earlier if effect.id == post.id), None)
        if post.tried or (known is not None and known.in_doubt):
            raise Unavailable(
                self.sender.system,
                "nobody can look there whether this message has arrived",
                "Ask its readers; it is not sent again, the next one is",
            )
        return None

    def first_line(self, message: Message) -> str:
        """The first line of the message."""
        return mail_subject(self._text(message))

    def reference(self, receipt: Receipt) -> str:
        """Nothing: a message has no name there."""
        return str(receipt.get("id", ""))

    async def prove(self) -> tuple[str, bool]:
        """What is known to work, see `Triable`.

        Raises:
            OutsideError: it cannot be used.
        """
        return await self.sender.try_out(support=self.is_support)

    async def send_test(self, text: str, post: Post) -> None:
        """Send the text as a message.

        Raises:
            OutsideError: it was not sent, or nobody can tell.
        """
        await self.sender.send(text, subject=mail_subject(text), post=post, support=self.is_support)

    async def _send(self, message: Message, post: Post) -> Receipt:
        text = self._text(message)
        told = f"{REHEARSAL}\n{text}" if post.rehearsal else text
        first = f"REHEARSAL: {text}" if post.rehearsal else text
        subject = mail_subject(first, about=post.about.incident if post.about else "")
        if post.about is not None:
            told = naming(told, post.about, self.sender.style)
        return await self.sender.send(told, subject=subject, post=post, support=self.is_support)

    def _text(self, message: Message) -> str:
        return in_text(message, self.sender.style, self.sender.templates)


class TeamSide(Side):
    """An `Announcer` and a `Speaker`: the team is told everything."""

    audience: ClassVar[Audience] = Audience.TEAM

    def headline(self, facts: MessageFacts) -> str:
        """The first line of the announcement."""
        return self.first_line(update_message(facts))

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Send the state of the incident.

        Raises:
            OutsideError: see `Sender.send`.
        """
        return await self._send(update_message(facts), post)

    async def say(self, message: Message, post: Post) -> Receipt:
        """Send anything else.

        Raises:
            OutsideError: see `Sender.send`.
        """
        return await self._send(message, post)


class SupportSide(Side):
    """An `Announcer` alone: support is told what users may be told, at each state."""

    audience: ClassVar[Audience] = Audience.SUPPORT
    is_support: ClassVar[bool] = True

    def headline(self, facts: MessageFacts) -> str:
        """The first line of the text for support."""
        return self.first_line(support_message(facts))

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Send the text for support.

        Raises:
            OutsideError: see `Sender.send`.
        """
        return await self._send(support_message(facts), post)


class TwoSided:
    """What a block has that sends to both; `team` and `support` are the channels of its two sides.

    The fields stay with each block: their order is that of its form in Prefect.
    """

    team: ClassVar[type[TeamSide]]
    support: ClassVar[type[SupportSide]]

    @property
    def sides(self: "_Block") -> tuple[Channel, ...]:
        """A channel for each audience."""
        team = (self.team(self),) if Audience.TEAM in self.audiences else ()
        return (*team, *((self.support(self),) if Audience.SUPPORT in self.audiences else ()))


class _Block(Sender, Protocol):
    """What `TwoSided` is mixed into."""

    team: ClassVar[type[TeamSide]]
    support: ClassVar[type[SupportSide]]
    audiences: Audiences
