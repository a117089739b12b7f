"""Our own public status page: texts that people are asked about, and what others have written there."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Annotated, ClassVar, Literal

from runbook.approvals.identity import Identity
from runbook.incidents.events.base import JournalEvent, numbered
from runbook.outside_text import Outside, OutsideIdentity, OutsideLine, OutsideName, OutsideText
from runbook.public.areas import ProductArea

_DIGITS = 16

_MOST = 500
"""Characters of what somebody else wrote on the page; the page has it all."""

_MOST_PUBLIC = 20_000
"""Characters of a text that a template makes at most."""


class PublicIncidentSeen(JournalEvent):
    """An open incident on the page has the title of ours, and is somebody else's: it is left alone.

    `reference` is its id at the provider, `link` where people read it, empty where the provider has none.
    """

    type: Literal["PublicIncidentSeen"] = "PublicIncidentSeen"
    channel: str
    reference: OutsideIdentity
    title: OutsideLine
    link: OutsideLine = ""

    @property
    def journal_key(self) -> str:
        """Once for each incident of the page."""
        return f"public-incident:{self.digest}"

    @property
    def digest(self) -> str:
        """What tells it from another one, short enough for the name of a message."""
        return sha256(f"{self.channel}\n{self.reference}".encode()).hexdigest()[:_DIGITS]


class PublicTextRefused(JournalEvent):
    """A text was not published, since it says what no public text may: `because`, a sentence each.

    `reopened` is how often the incident had been reopened by then.
    """

    type: Literal["PublicTextRefused"] = "PublicTextRefused"
    channel: str
    state: str
    because: tuple[OutsideLine, ...]
    reopened: int = 0

    @property
    def journal_key(self) -> str:
        """Once for each state and the words that are found in it."""
        return numbered(f"public-refused:{self.digest}", self.reopened)

    @property
    def digest(self) -> str:
        """What tells it from another one."""
        told = "\n".join((self.channel, self.state, *self.because))
        return sha256(told.encode()).hexdigest()[:_DIGITS]


class PublicTextProposed(JournalEvent):
    """A text for the public waits for a person's yes: it says that the incident is in `state`.

    `message` is the name of the message that it is published as, `number` how often a text for that one was
    proposed, from 1. `areas` are those that the page shows as affected, `regions` and `impact` what the words
    rest on. `worded_at` (aware UTC) is the time that the words tell. `reopened` is how often the incident had
    been reopened by then.
    """

    type: Literal["PublicTextProposed"] = "PublicTextProposed"
    channel: str
    state: str
    message: str
    title: OutsideLine
    body: Annotated[str, Outside(_MOST_PUBLIC)]
    worded_at: datetime
    impact: str = ""
    areas: tuple[ProductArea, ...] = ()
    regions: tuple[OutsideName, ...] = ()
    number: int = 1
    reopened: int = 0

    @property
    def journal_key(self) -> str:
        """Once for each message and number."""
        return f"{self.KEYS}{self.channel}:{self.message}:{self.number}"

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says: what an answer is bound to."""
        said = self.model_dump(mode="json", exclude={"type"})
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    KEYS: ClassVar[str] = "public-proposed:"
    """How the keys of proposals begin, in every incident."""


class PublicTextApproved(JournalEvent):
    """A person lets the text with that digest be published; with a `body` or `title`, in these words instead.

    `dismissed` is how many answers to it did not count any more by then, such as those of people who may not.
    """

    type: Literal["PublicTextApproved"] = "PublicTextApproved"
    proposal: str
    by: OutsideName
    identity: Identity | None = None
    body: OutsideText = ""
    title: OutsideLine = ""
    dismissed: int = 0

    @property
    def journal_key(self) -> str:
        """Once for each text, whatever is said of it, as long as that counts."""
        return numbered(f"public-answered:{self.proposal}", self.dismissed)


class PublicTextWithheld(JournalEvent):
    """A person does not let the text with that digest be published, and says why.

    `dismissed` is as in `PublicTextApproved`.
    """

    type: Literal["PublicTextWithheld"] = "PublicTextWithheld"
    proposal: str
    by: OutsideName
    because: OutsideText
    identity: Identity | None = None
    dismissed: int = 0

    @property
    def journal_key(self) -> str:
        """Once for each text, whatever is said of it, as long as that counts."""
        return numbered(f"public-answered:{self.proposal}", self.dismissed)


class PublicUpdateSeen(JournalEvent):
    """A person has written in the incident's own public entry, or changed what the runbook had written there.

    `reference` is the update's id at the provider, `status` what it says of the entry, in its words.
    """

    type: Literal["PublicUpdateSeen"] = "PublicUpdateSeen"
    channel: str
    reference: OutsideIdentity
    status: OutsideName
    text: Annotated[str, Outside(_MOST, lines=False)]

    @property
    def journal_key(self) -> str:
        """Once for each update and what it says."""
        return f"public-update:{self.digest}"

    @property
    def digest(self) -> str:
        """What tells it from another one."""
        told = "\n".join((self.channel, self.reference, self.status, self.text))
        return sha256(told.encode()).hexdigest()[:_DIGITS]
