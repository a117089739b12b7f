"""The programs that alerts come from, and how what each one sends is read.

A reader takes the JSON value that was sent, of whatever type, and the service whose alerts these are where
the payload names none (empty for none). It returns the alerts, or raises `UnreadablePayload` and nothing
else.
"""

from collections.abc import Callable
from typing import Any

from runbook.alerts.alert import Alert
from runbook.alerts.sources import alertmanager, grafana, incident_io, pagerduty, plain, self_watch
from runbook.alerts.sources.reading import EmptyAlerts, UnreadablePayload
from runbook.caretaking.self_watch import SOURCE as SELF_WATCH_NAME
from runbook.value import Value

__all__ = [
    "SELF_WATCH",
    "SOURCES",
    "EmptyAlerts",
    "Source",
    "UnreadablePayload",
    "plain",
    "reading",
    "self_watch",
]


class Source(Value):
    """A program that sends alerts. `name` stands in addresses and journals, `title` is for people."""

    name: str
    title: str
    translate: Callable[[Any, str], list[Alert]]


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(name="alertmanager", title="Alertmanager", translate=alertmanager.translate),
        Source(name="grafana", title="Grafana Alerting", translate=grafana.translate),
        Source(name="pagerduty", title="PagerDuty", translate=pagerduty.translate),
        Source(name="incident-io", title="incident.io", translate=incident_io.translate),
        Source(name="plain", title="Plain JSON", translate=plain.translate),
    )
}

SELF_WATCH = Source(name=SELF_WATCH_NAME, title="The runbook's self-watch", translate=self_watch.translate)
"""The one that is no program of anybody's: what it sends is synthetic, and never an incident."""
