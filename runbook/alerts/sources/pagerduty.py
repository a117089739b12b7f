"""PagerDuty's webhooks (version 3), translated into alerts: an incident there is an alert here.

Source of the event types: PagerDuty's "Webhooks Overview". It lists what `event.data` is for each type, and
says that types may be added; so what an event is about is read from `data.type`:

- `incident`: an alert. Where the event's type does not tell the status (`incident.escalated`,
  `incident.priority_updated` and others), `data.status` does.
- anything else carries no status of an incident, so no alert: `pagey.ping` (the test button), `service.*`,
  and the notes, responders, tasks, workflows and status updates of an incident.
"""

from typing import Annotated, Any

from pydantic import BaseModel

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.pager_acts import incident_of_page
from runbook.alerts.sources.reading import (
    NAMED,
    Text,
    Time,
    UnreadablePayload,
    beyond,
    bounded,
    claimed_severity,
    named_service,
    parsed,
    storable,
    utc,
    web_address,
    words,
)
from runbook.alerts.sources.source import Source
from runbook.alerts.sources.status_words import status_of
from runbook.decision.severity import Severity
from runbook.outside_text import one_line

STATUS_OF_EVENT = {
    "incident.triggered": AlertStatus.FIRING,
    "incident.reopened": AlertStatus.FIRING,
    "incident.unacknowledged": AlertStatus.FIRING,
    "incident.acknowledged": AlertStatus.ACKNOWLEDGED,
    "incident.resolved": AlertStatus.RESOLVED,
}
CLAIM_OF_URGENCY = {"high": Severity.P2, "low": Severity.P3}
"""An urgency covers two of PagerDuty's severities each; claimed is the one nearer to the middle."""


class _Reference(BaseModel):
    summary: Text = ""


class _Incident(BaseModel):
    id: Text = ""
    incident_key: Text = ""
    title: Text = ""
    status: Text = ""
    html_url: Text = ""
    urgency: Text = ""
    created_at: Time = None
    service: Annotated[_Reference | None, NAMED] = None
    priority: Annotated[_Reference | None, NAMED] = None


class _Subject(BaseModel):
    type: str


class _Event(BaseModel):
    id: Text = ""
    event_type: str
    occurred_at: Time = None
    data: dict[str, Any]


class _Body(BaseModel):
    event: dict[str, Any]


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The alert of an event about an incident; no alert for an event about anything else, or a page of ours.

    It belongs to the service that PagerDuty names, else to `default_service`. `event.id` is the delivery: one
    that is sent again has the same.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type, or the status or service is unknown.
    """
    body = parsed(_Body, storable(payload))
    event = parsed(_Event, body.event, at="event")
    if parsed(_Subject, event.data, at="event.data").type.casefold() != "incident":
        return []
    incident = parsed(_Incident, event.data, at="event.data")
    if incident_of_page(incident.incident_key):
        return []  # our own page would open an incident about itself
    key = incident.id or incident.incident_key
    if not key:
        raise UnreadablePayload("event.data.id: the incident's id is missing")
    service = incident.service.summary if incident.service else ""
    name = one_line(incident.title) or "unnamed incident"
    alert = Alert(
        source="pagerduty",
        service=named_service(service, default_service, at="event.data.service.summary"),
        name=name,
        summary=words(incident.title) or name,
        status=_status(event.event_type, incident.status),
        severity=_claim(incident),
        fingerprint=key,
        starts_at=utc(incident.created_at),
        changed_at=utc(event.occurred_at),
        url=web_address(incident.html_url),
        extra=bounded(_extra(event, incident, body.event)),
        delivery=event.id,
    )
    return [alert]


def _status(event_type: str, status: str) -> AlertStatus:
    known = STATUS_OF_EVENT.get(event_type.casefold()) or status_of(status)
    if known is None:
        raise UnreadablePayload("event.data.status: not one of triggered, acknowledged, resolved")
    return known


def _claim(incident: _Incident) -> Severity | None:
    priority = incident.priority.summary if incident.priority else ""
    return claimed_severity(priority) or CLAIM_OF_URGENCY.get(incident.urgency.casefold())


def _extra(event: _Event, incident: _Incident, raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_type": event.event_type,
        "incident_key": incident.incident_key,
        "urgency": incident.urgency,
        "priority": incident.priority.summary if incident.priority else "",
        **beyond(event.data, _Incident, "type"),
        "event": beyond(raw, _Event),
    }


PATHS: dict[str, tuple[str, ...]] = {
    "status": ("event.event_type", "event.data.status"),
    "service": ("event.data.service.summary", "event.data.service"),
    "name": ("event.data.title",),
    "summary": ("event.data.title",),
    "severity": ("event.data.priority.summary", "event.data.priority", "event.data.urgency"),
    "key": ("event.data.id", "event.data.incident_key"),
    "started_at": ("event.data.created_at",),
    "changed_at": ("event.occurred_at",),
    "url": ("event.data.html_url",),
    "delivery": ("event.id",),
}
SOURCE = Source(name="pagerduty", title="PagerDuty", translate=translate, paths=PATHS)
