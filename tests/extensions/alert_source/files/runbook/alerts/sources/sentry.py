"""Sentry's webhooks about metric alerts, translated into alerts.

Source: Sentry's documentation of integration webhooks, "Metric Alerts": `action` is critical, warning or
resolved, and `data.metric_alert` the alert with its rule. Webhooks of other resources have no metric alert
in them and are no alert.
"""

from typing import Any

from pydantic import AwareDatetime, BaseModel

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources.reading import (
    Text,
    UnreadablePayload,
    beyond,
    bounded,
    named_service,
    parsed,
    storable,
    utc,
    web_address,
    words,
)
from runbook.alerts.sources.source import Source
from runbook.decision.severity import Severity
from runbook.outside_text import one_line

STATUS_OF_ACTION = {
    "critical": AlertStatus.FIRING,
    "warning": AlertStatus.FIRING,
    "resolved": AlertStatus.RESOLVED,
}
CLAIM_OF_ACTION = {"critical": Severity.P2, "warning": Severity.P3}


class _Rule(BaseModel):
    name: Text = ""


class _MetricAlert(BaseModel):
    id: Text = ""
    identifier: Text = ""
    alert_rule: _Rule
    date_started: AwareDatetime | None = None
    projects: list[Text] = []


class _Data(BaseModel):
    metric_alert: _MetricAlert | None = None
    description_title: Text = ""
    description_text: Text = ""
    web_url: Text = ""


class _Body(BaseModel):
    action: Text
    data: _Data


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The metric alert, of the one project that it watches or else of `default_service`.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type, or the action or service is unknown.
    """
    body = parsed(_Body, storable(payload))
    sent = body.data.metric_alert
    if sent is None:
        return []
    status = STATUS_OF_ACTION.get(body.action)
    if status is None:
        raise UnreadablePayload("action: none of critical, warning, resolved")
    name = one_line(sent.alert_rule.name) or "unnamed alert"
    project = sent.projects[0] if len(sent.projects) == 1 else ""
    return [
        Alert(
            source="sentry",
            service=named_service(project, default_service, at="data.metric_alert.projects"),
            name=name,
            summary=words(body.data.description_text) or words(body.data.description_title) or name,
            status=status,
            severity=CLAIM_OF_ACTION.get(body.action),
            fingerprint=sent.id or sent.identifier,
            starts_at=utc(sent.date_started),
            url=web_address(body.data.web_url),
            extra=bounded(beyond(payload["data"]["metric_alert"], _MetricAlert)),
        )
    ]


SOURCE = Source(name="sentry", title="Sentry", translate=translate)
