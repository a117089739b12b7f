"""What was seen on our own public status page that the runbook has not written."""

from hashlib import sha256
from typing import Annotated, Literal

from runbook.incidents.events.base import JournalEvent, numbered
from runbook.outside_text import Outside, OutsideIdentity, OutsideLine, OutsideName

_DIGITS = 16

_MOST = 500
"""Characters of what somebody else wrote on the page; the page has it all."""


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
