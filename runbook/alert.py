"""An alert, whatever system it came from."""

from datetime import datetime
from enum import StrEnum

from runbook.severity import Severity
from runbook.value import Value


class AlertStatus(StrEnum):
    """Whether the condition still holds at the sender."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(Value):
    """One alert about a service.

    `severity` is the sender's claim, not our assessment. `fingerprint` is the sender's identity of the
    alert; the same fingerprint is the same alert again. `starts_at` is aware UTC. `requested_by` is the
    person who started the response by hand.
    """

    source: str
    service: str
    name: str
    summary: str
    status: AlertStatus = AlertStatus.FIRING
    severity: Severity | None = None
    fingerprint: str = ""
    starts_at: datetime | None = None
    url: str = ""
    labels: dict[str, str] = {}
    requested_by: str = ""
