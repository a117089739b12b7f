"""Alerts that join an incident, and end, in sentences."""

from runbook.alerts.alert import AlertStatus
from runbook.channels.wording import count
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.AlertJoined) -> str:
    alert = event.alert
    if alert.status is AlertStatus.RESOLVED:
        return f"{alert.source} reports that {alert.name} is resolved"
    return f"Alert joined from {alert.source}: {alert.name} ({alert.summary})"


@sentence.register
def _(event: e.AlertLeft) -> str:
    return f"{event.alert.source} reports that {event.alert.name} is resolved"


@sentence.register
def _(event: e.AlertsResolved) -> str:
    return f"All {count(event.alerts, 'alert')} stopped firing; the checks decide whether it is over"


@sentence.register
def _(event: e.AlertStormNoted) -> str:
    return f"{count(event.alerts, 'alert')} have joined; further alerts are counted but not listed"


@sentence.register
def _(event: e.FlappingNoted) -> str:
    return f"Flapping: {event.alert} began {event.episodes} times within an hour"
