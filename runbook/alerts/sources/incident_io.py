"""incident.io's webhooks, translated into alerts: an incident or an alert there is an alert here.

The body is `{"event_type": T, T: {…}}`. Source of the event types and fields: incident.io's API reference,
"Webhooks". Events may arrive out of order, so `updated_at` tells which is newer. Those that start no
response:

- of follow-ups, actions, escalations, schedules, memberships, post-mortems, status pages: no alert changes.
- of anything private: they carry an id and nothing else. Without a status nobody could tell when it ends.
- of incidents whose mode is test, tutorial or retrospective: nothing is wrong now.
"""

from typing import Annotated, Any

from pydantic import BaseModel

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources.reading import (
    NAMED,
    FiringOrResolved,
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
from runbook.outside_text import one_line

STATUS_OF_CATEGORY = {
    "triage": AlertStatus.FIRING,
    "live": AlertStatus.FIRING,
    "paused": AlertStatus.ACKNOWLEDGED,
    "learning": AlertStatus.RESOLVED,
    "closed": AlertStatus.RESOLVED,
    "resolved": AlertStatus.RESOLVED,
    "merged": AlertStatus.RESOLVED,
    "declined": AlertStatus.RESOLVED,
    "canceled": AlertStatus.RESOLVED,
    "post-incident": AlertStatus.RESOLVED,
}
"""Paused is known and waits for something. A merged incident goes on as another one."""

NOT_NOW = ("test", "tutorial", "retrospective")
"""Modes of incidents that nobody needs to respond to."""

_INCIDENT = "public_incident.incident_"
_ALERT = "public_alert.alert_"


class _Status(BaseModel):
    category: str


class _Severity(BaseModel):
    name: Text = ""


class _Incident(BaseModel):
    id: Text
    name: Text = ""
    summary: Text = ""
    permalink: Text = ""
    mode: Text = ""
    incident_status: _Status
    severity: Annotated[_Severity | None, NAMED] = None
    created_at: Time = None
    updated_at: Time = None


class _SentAlert(BaseModel):
    id: Text
    title: Text = ""
    description: Text = ""
    status: FiringOrResolved
    source_url: Text = ""
    created_at: Time = None
    updated_at: Time = None
    resolved_at: Time = None


class _Body(BaseModel):
    event_type: str


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The alert of an event about a public incident or alert; no alert for any other event.

    incident.io has no services, so all its alerts belong to `default_service`. The delivery is in the
    header `webhook-id`, not in the body.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type, or no service is given.
    """
    payload = storable(payload)
    event_type = parsed(_Body, payload).event_type
    if not event_type.startswith((_INCIDENT, _ALERT)):
        return []
    raw = payload.get(event_type)
    if not isinstance(raw, dict):
        raise UnreadablePayload(f"{event_type}: not an object")
    service = named_service("", default_service, at=f"{event_type}.service")
    if event_type.startswith(_ALERT):
        return [_alert(raw, service, event_type)]
    return _incident(raw, service, event_type)


def _incident(raw: dict[str, Any], service: str, event_type: str) -> list[Alert]:
    nested = raw.get("incident")  # a change of status has the incident beside the old and the new status
    around, fields = (raw, nested) if isinstance(nested, dict) else ({}, raw)
    sent = parsed(_Incident, fields, at=event_type)
    if sent.mode.casefold() in NOT_NOW:
        return []
    category = sent.incident_status.category
    status = STATUS_OF_CATEGORY.get(category.casefold()) or status_of(category)
    if status is None:
        raise UnreadablePayload(
            f"{event_type}.incident_status.category: not one of {', '.join(STATUS_OF_CATEGORY)}"
        )
    name = one_line(sent.name) or "unnamed incident"
    extra = {
        "event_type": event_type,
        "incident_status": fields["incident_status"],
        "severity": fields.get("severity"),
        **beyond(fields, _Incident),
        **{name: value for name, value in around.items() if name != "incident"},
    }
    alert = Alert(
        source="incident-io",
        service=service,
        name=name,
        summary=words(sent.summary) or name,
        status=status,
        severity=claimed_severity(sent.severity.name if sent.severity else ""),
        fingerprint=sent.id,
        starts_at=utc(sent.created_at),
        changed_at=utc(sent.updated_at or sent.created_at),
        url=web_address(sent.permalink),
        extra=bounded(extra),
    )
    return [alert]


def _alert(raw: dict[str, Any], service: str, event_type: str) -> Alert:
    sent = parsed(_SentAlert, raw, at=event_type)
    status = AlertStatus(sent.status)
    ended = sent.resolved_at if status is AlertStatus.RESOLVED else None
    name = one_line(sent.title) or "unnamed alert"
    return Alert(
        source="incident-io",
        service=service,
        name=name,
        summary=words(sent.description) or name,
        status=status,
        fingerprint=sent.id,
        starts_at=utc(sent.created_at),
        changed_at=utc(ended or sent.updated_at or sent.created_at),
        url=web_address(sent.source_url),
        extra=bounded({"event_type": event_type, **beyond(raw, _SentAlert)}),
    )


def _of_event(*fields: str) -> tuple[str, ...]:
    return tuple(f'"{{event}}"{around}.{field}' for field in fields for around in (".incident", ""))


PATHS: dict[str, tuple[str, ...]] = {
    "status": _of_event("incident_status.category", "status"),
    "name": _of_event("name", "title"),
    "summary": _of_event("summary", "description", "name", "title"),
    "severity": _of_event("severity.name", "severity"),
    "key": _of_event("id"),
    "started_at": _of_event("created_at"),
    "changed_at": _of_event("resolved_at", "updated_at", "created_at"),
    "url": _of_event("permalink", "source_url"),
}
SOURCE = Source(name="incident-io", title="incident.io", translate=translate, paths=PATHS)
