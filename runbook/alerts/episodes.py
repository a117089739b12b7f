"""The life of an alert: what one more message about it means, after all that is known of it.

An episode lasts from the message that an alert fires to the one that it is resolved. Messages come twice,
late and in another order than they were sent, from senders whose clocks are wrong by minutes. So a sender's
times are compared with that sender's own only, and what looks late is taken for late for a short time only:
an alert that still fires after it is heard.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from runbook.alerts.alert import Alert, AlertStatus
from runbook.value import Value

LATE_WITHIN = timedelta(minutes=2)
"""How long after a resolution, by our clock, an older message may still arrive.

Alertmanager repeats a failed notification until its flush ends, and a peer of its cluster sends it 15 s
after. Later than that, the same episode is reported because it goes on: Alertmanager resolves an alert that
Prometheus was too busy to repeat, and sends it again with its old `startsAt`.
"""


class Meaning(StrEnum):
    """What a message about an alert means. Noted: it is synthetic, and belongs to no incident.

    Unrouted: its service is none that the runbook may act for, so that it is kept and belongs to no incident.
    """

    BEGAN = "began"
    ENDED = "ended"
    REPEATED = "repeated"
    LATE = "late"
    NOTED = "noted"
    UNROUTED = "unrouted"


class AlertRecord(Value):
    """What is known of one alert: its status, the incident that it belongs to, and how often we heard of it.

    By the sender's clock: `starts_at` of the newest episode, `changed_at` of its newest status. By ours:
    `turned_at`, when we learned its status, and `last_seen_at`. `open` says whether the incident still is;
    `incident` is empty where there never was one. `journalled` says whether the journal tells the episode.
    `ended_at` (aware UTC, our clock) is when the incident was closed on a person's word. Of an alert without
    an incident, `journalled` says whether people were told of it.
    """

    source: str
    key: str
    service: str
    incident: str
    open: bool
    status: AlertStatus
    starts_at: datetime | None
    changed_at: datetime | None
    turned_at: datetime
    last_seen_at: datetime
    received: int
    journalled: bool
    ended_at: datetime | None = None
    name: str = ""

    @property
    def address(self) -> tuple[str, str, str]:
        """Which alert this is."""
        return self.source, self.service, self.key

    @property
    def firing(self) -> bool:
        """Whether the condition holds, acknowledged or not."""
        return self.status is not AlertStatus.RESOLVED


def meaning_of(
    known: AlertRecord | None, alert: Alert, *, at: datetime, quiet_for: timedelta = timedelta(0)
) -> Meaning:
    """What the message means that arrived at that time (aware UTC, our clock).

    For `quiet_for` after a person has ended its incident, an alert that fires on is a repeat: they know.
    """
    if alert.status is AlertStatus.RESOLVED:
        return _resolution(known, alert)
    if known is None:
        return Meaning.BEGAN
    if not known.firing:
        recently = at - known.turned_at <= LATE_WITHIN
        late = alert.status is AlertStatus.ACKNOWLEDGED or (_older(alert, known) and recently)
        return Meaning.LATE if late else Meaning.BEGAN
    if _later_episode(alert, known):
        return Meaning.BEGAN
    if not known.open:  # its incident was closed, and it fires again
        known_of = known.ended_at is not None and at - known.ended_at < quiet_for
        return Meaning.REPEATED if known_of else Meaning.BEGAN
    return Meaning.REPEATED


def _resolution(known: AlertRecord | None, alert: Alert) -> Meaning:
    if known is None:
        return Meaning.ENDED
    if not known.firing:
        return Meaning.REPEATED
    return Meaning.LATE if _older(alert, known) else Meaning.ENDED


def _older(alert: Alert, known: AlertRecord) -> bool:
    """Whether the sender says that it told us something newer before.

    Of one episode, the beginning is older than the end.
    """
    if alert.changed_at and known.changed_at:
        return alert.changed_at < known.changed_at
    if alert.starts_at is None or known.starts_at is None:
        return False
    same = alert.starts_at == known.starts_at and alert.status is not AlertStatus.RESOLVED
    return alert.starts_at < known.starts_at or same


def _later_episode(alert: Alert, known: AlertRecord) -> bool:
    """Whether it fires anew though nobody told us that it had been resolved."""
    return alert.starts_at is not None and known.starts_at is not None and alert.starts_at > known.starts_at
