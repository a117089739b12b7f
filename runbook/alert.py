"""An alert, whatever system it came from."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from runbook.severity import Severity
from runbook.value import Value

MAX_KEY = 255
"""Characters: the width of the incident store's column."""


class AlertStatus(StrEnum):
    """Whether the condition still holds at the sender.

    Acknowledged: it holds, and somebody there knows. Unlike firing, that never begins anew what has ended.
    """

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(Value):
    """One message about one alert of a service.

    `severity` is the sender's claim, not our assessment. `fingerprint` is the sender's identity of the
    alert; the same fingerprint is the same alert again. `starts_at` is when the condition began and
    `changed_at` when it took this status: aware UTC by the sender's clock, so they are compared with each
    other and never with ours. `delivery` is the sender's id of this message: a second one with it is a
    replay. `extra` is what the sender said beyond that, as it came. `requested_by` is the person who started
    the response by hand.
    """

    source: str
    service: str
    name: str
    summary: str
    status: AlertStatus = AlertStatus.FIRING
    severity: Severity | None = None
    fingerprint: str = ""
    starts_at: datetime | None = None
    changed_at: datetime | None = None
    url: str = ""
    labels: dict[str, str] = {}
    extra: dict[str, Any] = {}
    delivery: str = ""
    requested_by: str = ""

    @property
    def key(self) -> str:
        """The same in all messages about this alert: the fingerprint, else made of the name and labels."""
        if 0 < len(self.fingerprint) <= MAX_KEY:
            return self.fingerprint
        labels = (f"{name}={value}" for name, value in sorted(self.labels.items()))
        parts = [self.fingerprint] if self.fingerprint else [self.name, *labels]
        return sha256("\0".join(parts).encode()).hexdigest()
