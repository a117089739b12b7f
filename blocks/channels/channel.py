"""What a channel is: a block that supports one or more of these protocols, and its templates.

A channel looks for a message before it is sent again (`find_sent`). Beside that it can announce an incident's
state (`Announcer`), say anything else (`Speaker`), change what it said (`Editor`), or page a person
(`PagingChannel`). The code that delivers asks what a channel can do, never for its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import JsonValue

from runbook.channels.cards.card import Card
from runbook.channels.messages import About, ExternalMessage, Message, MessageFacts, Page
from runbook.incidents.effects import Effect
from runbook.incidents.state import State

Receipt = dict[str, JsonValue]
"""What a channel gave back for a message; it is journalled, and given to the channel with later messages."""


class Audience(StrEnum):
    """Who reads what is announced. The public is told of each state once, and only of what is certain.

    Support is told what to tell users, and nothing internal.
    """

    TEAM = "team"
    SUPPORT = "support"
    PUBLIC = "public"


@dataclass(frozen=True)
class Post:
    """One message on its way, without its content.

    `id` is stable across retries and crashes: a channel that can carry it finds the message by it. It was not
    sent before `since` (aware UTC). `earlier` are the incident's messages in this channel, oldest first, as
    last recorded, and `first_tried` when each was first about to be sent; `announced` is the reference of the
    first announcement in it. `state` is what an announcement announces. `loud` asks for as many readers as
    the channel has, `rehearsal` to say that it is one.
    """

    id: str
    since: datetime
    earlier: tuple[Effect, ...] = ()
    first_tried: Mapping[str, datetime] = field(default_factory=dict)
    announced: str | None = None
    state: State | None = None
    loud: bool = False
    rehearsal: bool = False
    known: bool = False
    """The journal has it: it may have been sent before."""
    tried: bool = False
    """This process has tried to send it."""
    digests: frozenset[str] = frozenset()
    """Those of the texts that may have been sent as it, see `runbook.public.texts`."""
    about: About | None = None
    """The incident, which a message names that stands in no thread of it; `None` where it is about none."""
    repeats: bool = False
    """It says a state again that the channel was told: another message of that state is not this one."""

    def others_in_doubt(self) -> list[Effect]:
        """The other messages of the incident of which nobody knows whether they were sent."""
        return [effect for effect in self.earlier if effect.in_doubt and effect.id != self.id]


@dataclass(frozen=True)
class SharedFile:
    """A file on its way into the incident's thread, its content masked already.

    `name` is a file name that no other file of the thread has: it is found by it. `title` is what people read
    above it, `alt` what those read who do not see a picture, and `snippet` says of a text what it is written
    in, such as `diff`.
    """

    name: str
    title: str
    content: bytes
    alt: str = ""
    snippet: str = ""


class Channel(Protocol):
    """A way to tell people. `kind` names it in journals and in the ids of its messages; it never changes."""

    kind: ClassVar[str]

    async def find_sent(self, post: Post) -> Receipt | None:
        """The receipt of this message if it was sent; `None` if it was not, or is harmless to send again.

        Raises:
            OutsideError: the channel cannot be read, so that nobody can tell.
        """


@runtime_checkable
class Unsearchable(Channel, Protocol):
    """A channel in which nobody can look for a message: one in doubt stays so, and is not sent again."""

    unsearchable: ClassVar[bool]


@runtime_checkable
class Sided(Protocol):
    """A block with a channel for each of its audiences."""

    @property
    def sides(self) -> Sequence[Channel]:
        """The channels, those for the team first."""


@runtime_checkable
class Triable(Channel, Protocol):
    """A channel that can be tried without a message, and with one that says that it is a test."""

    async def prove(self) -> tuple[str, bool]:
        """What is known to work in a sentence, and whether it is all that a message needs. Nothing is sent.

        Raises:
            OutsideError: it cannot be used.
        """

    async def send_test(self, text: str, post: Post) -> None:
        """Send the text as a message.

        Raises:
            OutsideError: it was not sent, or nobody can tell.
        """


@runtime_checkable
class Announcer(Channel, Protocol):
    """A channel that is told the incident's state."""

    audience: ClassVar[Audience]

    def headline(self, facts: MessageFacts) -> str:
        """What the journal says of the announcement, in one line."""

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Announce the state.

        Raises:
            OutsideError: it was not announced, or nobody can tell.
        """

    def reference(self, receipt: Receipt) -> str:
        """What the announcement is known by in the channel."""


class WrittenUpdate(Protocol):
    """An update of an entry of a public page, whoever wrote it."""

    @property
    def id(self) -> str:
        """Its id at the page's host."""

    @property
    def status(self) -> str:
        """What it says of the entry, in the host's words."""

    @property
    def text(self) -> str:
        """Its words."""

    @property
    def at(self) -> datetime | None:
        """When it was written (aware UTC), where the host says so."""


class PublicEntry(Protocol):
    """An incident on a public page: its id there, its title, and where people read it."""

    @property
    def id(self) -> str:
        """Its id at the page's host."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def link(self) -> str:
        """Where people read it; empty where that is not known."""


@runtime_checkable
class PublicPage(Announcer, Protocol):
    """A channel for the public on which people may write as well."""

    def public_text(self, facts: MessageFacts) -> ExternalMessage:
        """What would be published of these facts."""

    async def namesakes(self, facts: MessageFacts) -> Sequence[PublicEntry]:
        """The open entries that have the title of the announced one; ours may be among them.

        Raises:
            OutsideError: the page cannot be read.
        """

    async def written(self, reference: str) -> Sequence[WrittenUpdate]:
        """The updates of the entry with this reference, oldest first.

        Raises:
            OutsideError: the page cannot be read, or has no such entry.
        """


@runtime_checkable
class Speaker(Channel, Protocol):
    """A channel for the team, in which anything can be said."""

    def first_line(self, message: Message) -> str:
        """What the journal says of the message, in one line."""

    async def say(self, message: Message, post: Post) -> Receipt:
        """Say it.

        Raises:
            OutsideError: it was not said, or nobody can tell.
        """


@runtime_checkable
class Editor(Announcer, Speaker, Protocol):
    """A channel for the team whose messages can be changed where they stand. A channel need not be one."""

    def shown(self, card: Card, *, rehearsal: bool) -> str:
        """What tells what the card shows from what another one would; its receipts have it as `SHOWN`."""

    async def edit(self, sent: Effect, card: Card, *, rehearsal: bool) -> Receipt:
        """Make a message that was sent show this card; the same again is harmless.

        Raises:
            OutsideError: it was not changed, or nobody can tell.
        """


@runtime_checkable
class FileChannel(Channel, Protocol):
    """A channel for the team that takes files. Its receipts have the address as `LINK`, where known."""

    async def share(self, file: SharedFile, post: Post) -> Receipt:
        """Put the file into the incident's thread.

        Raises:
            OutsideError: it is not there, or nobody can tell.
        """

    async def find_shared(self, name: str, post: Post) -> Receipt | None:
        """The receipt of the file with this name, where it is seen in the thread.

        It may be there some time before it is seen, so `None` does not say that it was not shared.

        Raises:
            OutsideError: the thread cannot be read.
        """


@runtime_checkable
class PagingChannel(Channel, Protocol):
    """A channel that wakes a person. The same id makes a repeated page the same page."""

    async def page(self, page: Page, post: Post) -> Receipt:
        """Page a person.

        Raises:
            OutsideError: nobody was paged, or nobody can tell.
        """

    async def acknowledge_page(self, page_id: str, receipt: Receipt) -> Receipt:
        """Say that somebody has the page with this id and receipt, so that nobody else is woken for it.

        Raises:
            OutsideError: it goes on, or nobody can tell.
        """

    async def end_page(self, page_id: str, receipt: Receipt) -> Receipt:
        """End the page with this id and receipt; there may be none.

        Raises:
            OutsideError: it goes on, or nobody can tell.
        """
