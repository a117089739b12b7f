"""Alertmanager's webhook payload (version 4), translated into alerts.

Grafana sends the same fields as version 1, so both are read. Fields that are not named here are tolerated:
both programs add some with every release.
"""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError

from runbook.alert import Alert, AlertStatus
from runbook.severity import Severity

SEVERITY_LABELS: dict[str, Severity] = {
    **{level.value.lower(): level for level in Severity},
    "critical": Severity.P1,
    "error": Severity.P2,
    "warning": Severity.P3,
    "info": Severity.P4,
}
"""What a `severity` label claims: our own levels, or PagerDuty's four words in the same order."""

MAX_SERVICE = 255
"""Characters: the width of the incident store's column."""


class UnreadablePayload(ValueError):
    """A payload that is not what its sender promised; the text names the field."""


class _SentAlert(BaseModel):
    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime | None = None  # noqa: N815  Alertmanager's spelling
    generatorURL: str = ""  # noqa: N815  Alertmanager's spelling
    fingerprint: str = ""


class _Group(BaseModel):
    commonLabels: dict[str, str] = {}  # noqa: N815  Alertmanager's spelling
    alerts: list[_SentAlert]


def alerts_of(payload: Any) -> list[Alert]:
    """The alerts of one notification, in the sender's order.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type, there is no alert, or an alert does not
            name its service.
    """
    try:
        group = _Group.model_validate(payload)
    except ValidationError as error:
        raise UnreadablePayload(first_mistake(error)) from None
    if not group.alerts:
        raise UnreadablePayload("alerts: the list is empty")
    return [_alert(sent, position) for position, sent in enumerate(group.alerts)]


def first_mistake(error: ValidationError) -> str:
    """The first mistake that a model found, as `field.name: what is wrong`, without the value."""
    mistake = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step) for step in mistake["loc"]) or "the body"
    message = mistake["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}"


def claimed_severity(label: str | None) -> Severity | None:
    """The severity that a sender claims; None for no claim or one in words of the sender's own."""
    return SEVERITY_LABELS.get((label or "").strip().lower())


def service_name(name: str) -> str:
    """The name of a service as a sender gave it, without the white space around it.

    Raises:
        ValueError: it is empty, too long or not printable.
    """
    name = name.strip()
    if not name:
        raise ValueError("the service is missing")
    if len(name) > MAX_SERVICE or not name.isprintable():
        raise ValueError(f"not a name of at most {MAX_SERVICE} printable characters")
    return name


def _alert(sent: _SentAlert, position: int) -> Alert:
    labels, notes = sent.labels, sent.annotations
    try:
        service = service_name(labels.get("service", ""))
    except ValueError as error:
        raise UnreadablePayload(f"alerts.{position}.labels.service: {error}") from None
    name = labels.get("alertname") or "unnamed alert"
    return Alert(
        source="alertmanager",
        service=service,
        name=name,
        summary=notes.get("summary") or notes.get("description") or name,
        status=sent.status,
        severity=claimed_severity(labels.get("severity")),
        fingerprint=sent.fingerprint,
        starts_at=_started(sent.startsAt),
        url=sent.generatorURL,
        labels=labels,
    )


def _started(at: datetime | None) -> datetime | None:
    """Go's zero time means that the sender does not know."""
    return None if at is None or at.year == 1 else at
