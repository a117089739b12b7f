"""Alertmanager's webhook payload (version 4), translated into alerts.

Fields that are not named here are kept in `Alert.extra`: Alertmanager adds some with every release. Grafana's
payload has the same form with more fields, see `runbook.alerts.sources.grafana`.
"""

from typing import Any

from pydantic import BaseModel, Field

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources.reading import (
    EmptyAlerts,
    FiringOrResolved,
    Text,
    Texts,
    Time,
    UnreadablePayload,
    beyond,
    bounded,
    claimed_severity,
    parsed,
    service_label,
    storable,
    unreadable_alert,
    utc,
    web_address,
    words,
)
from runbook.alerts.sources.source import Source
from runbook.alerts.sources.status_words import status_of
from runbook.outside_text import one_line

_MAX_GROUP = 4096
"""Characters of JSON that the group adds to the `extra` of each of its alerts."""

_TOLD_BY_EACH_ALERT = ("version", "status", "commonLabels", "commonAnnotations")


class _SentAlert(BaseModel):
    status: FiringOrResolved
    labels: Texts
    annotations: Texts = {}
    starts_at: Time = Field(default=None, alias="startsAt")
    ends_at: Time = Field(default=None, alias="endsAt")
    url: Text = Field(default="", alias="generatorURL")
    fingerprint: Text = ""


class _Group(BaseModel):
    alerts: list[Any]


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The alerts of one notification, in the sender's order.

    An alert belongs to the service of its `service` label, else to `default_service`. Firing, its status is
    as old as the alert (`startsAt`); resolved, as its end (`endsAt`). An alert that cannot be read among
    others is an alert of its own, which says so.

    Raises:
        EmptyAlerts: it tells of no alert.
        UnreadablePayload: no alert can be read, or one belongs to no service.
    """
    return alerts_of_group(payload, default_service, source="alertmanager")


def alerts_of_group(payload: Any, default_service: str, *, source: str) -> list[Alert]:
    """Like `translate`, for any source that sends this form."""
    payload = storable(payload)
    alerts = parsed(_Group, payload).alerts
    if not alerts:
        raise EmptyAlerts("alerts: the list is empty")
    group = bounded(beyond(payload, _Group, *_TOLD_BY_EACH_ALERT), _MAX_GROUP)
    found: list[Alert] = []
    mistakes: list[UnreadablePayload] = []
    for position, raw in enumerate(alerts):
        try:
            told = _with_status(raw, payload)
            found.append(_read(told, default_service, source=source, group=group, at=f"alerts.{position}"))
        except UnreadablePayload as error:
            mistakes.append(error)
            if default_service:
                found.append(unreadable_alert(raw, default_service, source=source, why=error))
    ends = any(alert.status is AlertStatus.RESOLVED for alert in found)
    if mistakes and not (default_service and (len(mistakes) < len(alerts) or ends)):
        raise mistakes[0]
    return found


def _with_status(raw: Any, payload: dict[str, Any]) -> Any:
    """The alert, with the group's status where it says none of its own."""
    if not isinstance(raw, dict) or raw.get("status") not in (None, ""):
        return raw
    return {**raw, "status": payload["status"]} if status_of(payload.get("status")) else raw


def _read(raw: dict[str, Any], default_service: str, *, source: str, group: dict[str, Any], at: str) -> Alert:
    sent = parsed(_SentAlert, raw, at=at)
    extra = {**beyond(raw, _SentAlert), "annotations": sent.annotations, "group": group}
    try:
        service = service_label(raw["labels"], default_service)
        return _alert(sent, service, source=source, extra=bounded(extra))
    except UnreadablePayload as error:
        raise UnreadablePayload(f"{at}.{error}") from None


def _alert(sent: _SentAlert, service: str, *, source: str, extra: dict[str, Any]) -> Alert:
    name = one_line(sent.labels.get("alertname", "")) or "unnamed alert"
    notes = sent.annotations
    text = words(notes.get("summary", "")) or words(notes.get("description", "")) or name
    return Alert(
        source=source,
        service=service,
        name=name,
        summary=text,
        status=AlertStatus(sent.status),
        severity=claimed_severity(sent.labels.get("severity")),
        fingerprint=sent.fingerprint,
        starts_at=utc(sent.starts_at),
        changed_at=utc(sent.ends_at if sent.status == "resolved" else sent.starts_at),
        url=web_address(sent.url),
        labels=sent.labels,
        extra=extra,
    )


PATHS: dict[str, tuple[str, ...]] = {
    "status": ("alerts[*].status", "status"),
    "service": ("alerts[*].labels.service",),
    "name": ("alerts[*].labels.alertname",),
    "summary": (
        "alerts[*].annotations.summary",
        "alerts[*].annotations.description",
        "alerts[*].labels.alertname",
    ),
    "severity": ("alerts[*].labels.severity",),
    "key": ("alerts[*].fingerprint",),
    "started_at": ("alerts[*].startsAt",),
    "changed_at": ("alerts[*].startsAt", "alerts[*].endsAt"),
    "url": ("alerts[*].generatorURL",),
}
SOURCE = Source(name="alertmanager", title="Alertmanager", translate=translate, paths=PATHS)
