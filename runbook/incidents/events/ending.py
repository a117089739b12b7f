"""From the watch to the end of an incident."""

from typing import ClassVar, Literal

from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideLine, OutsideText


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


class IncidentResolved(JournalEvent):
    """The response ended with this outcome: recovered, not_recovered, unknown or false_positive."""

    type: Literal["IncidentResolved"] = "IncidentResolved"
    outcome: str
    because: tuple[OutsideText, ...]

    KEY: ClassVar[str] = "resolved"

    @property
    def journal_key(self) -> str:
        """Once: the first end stands."""
        return self.KEY


class IncidentClosed(JournalEvent):
    """Nothing is left to do; a new alert opens a new incident."""

    type: Literal["IncidentClosed"] = "IncidentClosed"
    outcome: str

    @property
    def journal_key(self) -> str:
        """Once."""
        return "closed"
