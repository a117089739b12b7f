"""What the alerts of an incident do."""

from datetime import datetime
from typing import ClassVar, Literal

from runbook.alerts.alert import Alert
from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideLine


class AlertJoined(JournalEvent):
    """Another alert of the service began, or the same one again. Early journals have resolutions here too."""

    type: Literal["AlertJoined"] = "AlertJoined"
    alert: Alert


class AlertLeft(JournalEvent):
    """An alert of the incident was resolved by its sender."""

    type: Literal["AlertLeft"] = "AlertLeft"
    alert: Alert


class AlertsResolved(JournalEvent):
    """All alerts of the incident are resolved. That alone ends nothing: the checks decide."""

    type: Literal["AlertsResolved"] = "AlertsResolved"
    alerts: int

    KEYS: ClassVar[str] = "over:"
    """How its keys begin."""

    @classmethod
    def key_of(cls, at: datetime, position: int) -> str:
        """The key of the end of all alerts at `at` (aware UTC), the event at that position in its batch."""
        return f"{cls.KEYS}{at.isoformat()}-{position}"


class AlertStormNoted(JournalEvent):
    """So many alerts have joined that they are only counted from here on, not announced one by one."""

    type: Literal["AlertStormNoted"] = "AlertStormNoted"
    alerts: int

    @property
    def journal_key(self) -> str:
        """Once for each number of alerts."""
        return f"storm:{self.alerts}"


class FlappingNoted(JournalEvent):
    """An alert began more often within an hour than a healthy alert does."""

    type: Literal["FlappingNoted"] = "FlappingNoted"
    alert: OutsideLine
    episodes: int

    @property
    def journal_key(self) -> str:
        """Once in an incident."""
        return "flapping"
