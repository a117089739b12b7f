"""What senders call the status of an alert: one table."""

import re
from typing import Any

from runbook.alerts.alert import AlertStatus

STATUS_WORDS: dict[str, AlertStatus] = {
    **dict.fromkeys(
        (
            *(
                "firing",
                "fired",
                "alerting",
                "alarm",
                "active",
                "activated",
                "open",
                "opened",
                "new",
                "created",
            ),
            *(
                "trigger",
                "triggered",
                "re triggered",
                "retriggered",
                "renotify",
                "problem",
                "down",
                "critical",
            ),
            *("error", "warning", "warn", "failing", "failed", "unhealthy", "degraded"),
            *("no data", "nodata", "insufficient data"),  # nothing is known to be well
        ),
        AlertStatus.FIRING,
    ),
    **dict.fromkeys(("acknowledged", "acknowledge", "acked", "ack"), AlertStatus.ACKNOWLEDGED),
    **dict.fromkeys(
        (
            *(
                "resolved",
                "resolve",
                "solved",
                "fixed",
                "ok",
                "okay",
                "good",
                "recovered",
                "recover",
                "recovery",
            ),
            *(
                "warn recovered",
                "restored",
                "closed",
                "close",
                "inactive",
                "deactivated",
                "normal",
                "cleared",
            ),
            *("clear", "up", "healthy", "passing", "success", "completed", "ended", "done"),
            *("canceled", "cancelled"),
        ),
        AlertStatus.RESOLVED,
    ),
}
"""What senders call the status of an alert, in any case of letters, with spaces between its words. A word
that is not here says nothing.

Sources: Alertmanager, Grafana, PagerDuty, incident.io, CloudWatch, Datadog, New Relic, Azure Monitor, Google
Cloud Monitoring, Opsgenie, Zabbix, Icinga, Uptime Kuma, Healthchecks, StatusCake.
"""

_REASON = re.compile(r"(?P<state>[\w ]{1,40}?) ?\((?P<reason>[\w ,]{1,60})\)")
_NOT_WELL = re.compile(r"no ?data|error", re.IGNORECASE)


def status_of(word: Any) -> AlertStatus | None:
    """The status that a sender's word means; `None` for a word of its own, or no word."""
    if not isinstance(word, str):
        return None
    plain = " ".join(word.casefold().replace("-", " ").replace("_", " ").split())
    if found := _REASON.fullmatch(plain):  # Grafana's "Alerting (NoData)"
        status = STATUS_WORDS.get(found["state"])
        unsure = status is AlertStatus.RESOLVED and _NOT_WELL.search(found["reason"])
        return None if unsure else status
    return STATUS_WORDS.get(plain)
