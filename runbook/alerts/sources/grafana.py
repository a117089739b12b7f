"""Grafana's webhook payload (version 1), translated into alerts.

It has the form of Alertmanager's, and each alert says more: the `values` that made it fire, and where to
silence it or look at its panel. That is kept in `Alert.extra`, as are the group's `state` and `message`.

Releases before 11 can send the legacy form instead: one rule with its `state` and no list of alerts. Source:
Grafana's documentation of legacy alerting, "Webhook".
"""

from typing import Any

from pydantic import BaseModel, Field

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources.alertmanager import PATHS, alerts_of_group
from runbook.alerts.sources.reading import (
    Text,
    Texts,
    UnreadablePayload,
    beyond,
    bounded,
    claimed_severity,
    named_service,
    parsed,
    storable,
    web_address,
    words,
)
from runbook.alerts.sources.source import Source
from runbook.alerts.sources.status_words import status_of
from runbook.outside_text import one_line

NO_DATA = "no_data"
"""A legacy state: the rule's query had no answer, so nothing is known to be well."""


class _LegacyRule(BaseModel):
    state: Text
    rule_name: Text = Field(alias="ruleName")
    rule_id: Text = Field(default="", alias="ruleId")
    rule_url: Text = Field(default="", alias="ruleUrl")
    title: Text = ""
    message: Text = ""
    tags: Texts = {}


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The alerts of one notification, in the sender's order; see Alertmanager's for their fields.

    Raises:
        EmptyAlerts: it tells of no alert.
        UnreadablePayload: a field is missing or of the wrong type, or an alert belongs to no service.
    """
    if isinstance(payload, dict) and "alerts" not in payload and "ruleName" in payload:
        return [_legacy(storable(payload), default_service)]
    return alerts_of_group(payload, default_service, source="grafana")


def _legacy(payload: dict[str, Any], default_service: str) -> Alert:
    sent = parsed(_LegacyRule, payload)
    state = sent.state.strip().casefold()
    status = AlertStatus.FIRING if state == NO_DATA else status_of(state)
    if status is None:
        raise UnreadablePayload("state: not one of alerting, ok, no_data")
    name = one_line(sent.rule_name) or "unnamed alert"
    return Alert(
        source="grafana",
        service=named_service(sent.tags.get("service", ""), default_service, at="tags.service"),
        name=name,
        summary=words(sent.message) or words(sent.title) or name,
        status=status,
        severity=claimed_severity(sent.tags.get("severity")),
        fingerprint=f"rule-{sent.rule_id}" if sent.rule_id else "",
        url=web_address(sent.rule_url),
        labels=sent.tags,
        extra=bounded({**beyond(payload, _LegacyRule), "title": sent.title}),
    )


_LEGACY_PATHS: dict[str, tuple[str, ...]] = {
    "status": ("state",),
    "service": ("tags.service",),
    "name": ("ruleName",),
    "summary": ("message", "title", "ruleName"),
    "severity": ("tags.severity",),
    "key": ("ruleId",),
    "url": ("ruleUrl",),
}
SOURCE = Source(
    name="grafana",
    title="Grafana Alerting",
    translate=translate,
    paths={field: (*paths, *_LEGACY_PATHS.get(field, ())) for field, paths in PATHS.items()},
)
