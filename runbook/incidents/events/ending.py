"""From the watch to the end of an incident, and what leads back from there."""

from datetime import datetime
from typing import ClassVar, Literal

from runbook.approvals.identity import Identity
from runbook.incidents.events.base import JournalEvent, numbered
from runbook.outside_text import OutsideLine, OutsideName, OutsideText


class WatchStarted(JournalEvent):
    """From here on the incident is watched until it is over."""

    type: Literal["WatchStarted"] = "WatchStarted"
    waiting_for: tuple[OutsideLine, ...]

    @staticmethod
    def key_of(number: int) -> str:
        """The key of a watch, counted from 1."""
        return f"watch-started:{number}"


class RecoveryChecked(JournalEvent):
    """A check of the recovery whose answer differs from the previous one."""

    type: Literal["RecoveryChecked"] = "RecoveryChecked"
    recovered: bool | None
    because: tuple[OutsideText, ...]


class ResponsePaused(JournalEvent):
    """The runbook cannot go on by itself: a person is paged, and it looks again from time to time.

    `next_look_at` (aware UTC) is when it looks first. No process is held until then.
    """

    type: Literal["ResponsePaused"] = "ResponsePaused"
    because: OutsideText
    next_look_at: datetime
    round: int = 1

    @property
    def journal_key(self) -> str:
        """Once in each round."""
        return f"paused:{self.round}"


class IncidentResolved(JournalEvent):
    """The response ended with this outcome, see `runbook.incidents.state.IncidentOutcome`.

    Where a person ended it, `by` is who, `identity` how that is known, and `done` what was done by hand, in
    their words. `reopened` is how often the incident had been reopened by then.
    """

    type: Literal["IncidentResolved"] = "IncidentResolved"
    outcome: str
    because: tuple[OutsideText, ...]
    by: OutsideName = ""
    identity: Identity | None = None
    done: OutsideText = ""
    reopened: int = 0

    KEY: ClassVar[str] = "resolved"

    @classmethod
    def key_after(cls, reopened: int) -> str:
        """The key of the end of an incident that was reopened so often."""
        return numbered(cls.KEY, reopened)

    @property
    def journal_key(self) -> str:
        """Once until the incident is reopened: the first end stands."""
        return self.key_after(self.reopened)


class StateForced(JournalEvent):
    """A person says that the incident is identified, or that what was done is being watched, and why.

    The runbook had not proved that by then, so that each message says whose word it is.
    """

    type: Literal["StateForced"] = "StateForced"
    state: Literal["IDENTIFIED", "MONITORING"]
    by: OutsideName
    because: OutsideText
    identity: Identity | None = None


class IncidentMerged(JournalEvent):
    """A person says that this incident is part of another one, where the response goes on.

    `into` is the id of that one.
    """

    type: Literal["IncidentMerged"] = "IncidentMerged"
    into: OutsideName
    by: OutsideName
    identity: Identity | None = None
    because: OutsideText = ""
    reopened: int = 0

    @property
    def journal_key(self) -> str:
        """The same as that of a resolution: an incident ends in one way."""
        return IncidentResolved.key_after(self.reopened)


class IncidentAbsorbed(JournalEvent):
    """Another incident, `incident`, is merged into this one."""

    type: Literal["IncidentAbsorbed"] = "IncidentAbsorbed"
    incident: OutsideName
    service: OutsideName
    by: OutsideName
    identity: Identity | None = None

    @property
    def journal_key(self) -> str:
        """Once for each incident."""
        return f"absorbed:{self.incident}"


class IncidentClosed(JournalEvent):
    """Nothing is left to do. A new alert opens a new incident, or reopens this one if it comes soon."""

    type: Literal["IncidentClosed"] = "IncidentClosed"
    outcome: str
    reopened: int = 0

    @property
    def journal_key(self) -> str:
        """Once until the incident is reopened."""
        return numbered("closed", self.reopened)


class IncidentReopened(JournalEvent):
    """The incident goes on, under its number, in its thread: by a person, or since its alert fires again.

    `by` is empty where an alert did it. `reopened` counts from 1.
    """

    type: Literal["IncidentReopened"] = "IncidentReopened"
    because: OutsideText
    by: OutsideName = ""
    identity: Identity | None = None
    reopened: int = 1

    KEYS: ClassVar[str] = "reopened:"
    """How its keys begin."""

    @property
    def journal_key(self) -> str:
        """Once for each end."""
        return f"{self.KEYS}{self.reopened}"
