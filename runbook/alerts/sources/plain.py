"""The receiver's own alert format: what any script can send with one POST of plain JSON."""

from typing import Any

from pydantic import BaseModel, field_validator

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources.reading import (
    Status,
    Text,
    Texts,
    Time,
    Words,
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
from runbook.outside_text import one_line


class PlainAlert(BaseModel):
    """One alert. Only `name` and `summary` are needed where the receiver knows the service of its senders.

    `status` is firing, acknowledged or resolved; common words for these, such as `ok` or `RECOVERED`, are
    known.

    `severity` is a claim: P1 to P4, or critical, error, warning, info. `fingerprint` is the sender's identity
    of the alert: the same one is the same alert again, so that it can be repeated and resolved. `starts_at`
    is when its condition began and `changed_at` when it took this status, both with a time zone. `labels`
    are texts by name; numbers are taken for texts, also as a fingerprint. Other fields are kept beside these.
    """

    service: Text = ""
    name: Words
    summary: Words
    severity: Text | None = None
    status: Status = AlertStatus.FIRING
    fingerprint: Text = ""
    starts_at: Time = None
    changed_at: Time = None
    url: Text = ""
    labels: Texts = {}

    @field_validator("status", mode="before")
    @classmethod
    def _fires_unless_said(cls, value: Any) -> Any:
        return AlertStatus.FIRING if value is None else value


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The one alert of the payload. It belongs to the service that it names, else to `default_service`.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type, or the alert belongs to no service.
    """
    payload = storable(payload)
    sent = parsed(PlainAlert, payload)
    name = one_line(sent.name) or "unnamed alert"
    alert = Alert(
        source="plain",
        service=named_service(sent.service, default_service, at="service"),
        name=name,
        summary=words(sent.summary) or name,
        status=sent.status,
        severity=claimed_severity(sent.severity),
        fingerprint=sent.fingerprint,
        starts_at=utc(sent.starts_at),
        changed_at=utc(sent.changed_at),
        url=web_address(sent.url),
        labels=sent.labels,
        extra=bounded(beyond(payload, PlainAlert)),
    )
    return [alert]


PATHS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("status", "service", "name", "summary", "severity", "changed_at", "url")},
    "key": ("fingerprint",),
    "started_at": ("starts_at",),
}
SOURCE = Source(name="plain", title="Plain JSON", translate=translate, paths=PATHS)
