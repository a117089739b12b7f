"""One value of a wrong type spoils the alert that has it at most, and most of them spoil nothing."""

from typing import Any

import pytest

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources import SOURCES
from runbook.decision.severity import Severity

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus


def nested(depth: int) -> Any:
    """A value that deep."""
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


STRANGE: dict[str, Any] = {
    "a number": 9090,
    "a number beyond 64 bits": 10**60,
    "no number": float("nan"),
    "a truth value": False,
    "null": None,
    "an object": {"a": 1},
    "a list": ["a", 1],
    "nested deeply": nested(40),
    "nested very deeply": nested(900),
    "half a surrogate pair": "\ud800",
}


def sent(source: str, value: Any, **fields: Any) -> Any:
    """A payload with this value where the sender's own texts are: a label, or a field that we do not name."""
    event = "public_incident.incident_updated_v2"
    return {
        "alertmanager": {"alerts": [{"status": "firing", "labels": {"alertname": "n", "x": value}}]},
        "grafana": {"alerts": [{"status": "firing", "labels": {"alertname": "n", "x": value}}]},
        "pagerduty": {
            "event": {
                "event_type": "incident.triggered",
                "data": {"type": "incident", "id": "1", "title": "n", "x": value} | fields,
            }
        },
        "incident-io": {
            "event_type": event,
            event: {"id": "1", "name": "n", "incident_status": {"category": "live"}, "x": value} | fields,
        },
        "plain": {"name": "n", "summary": "s", "labels": {"x": value}, "x": value} | fields,
    }[source]


def read(source: str, payload: Any) -> list[Alert]:
    """The alerts of a payload."""
    return SOURCES[source].translate(payload, "ours")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("value", STRANGE)
def test_a_strange_value_spoils_nothing(source: str, value: str) -> None:
    """Name, status and service are what they would be without it."""
    [alert] = read(source, sent(source, STRANGE[value]))
    assert (alert.name, alert.status, alert.service) == ("n", FIRING, "ours")


@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize(
    "field", ["labels", "annotations", "startsAt", "generatorURL", "fingerprint", "status"]
)
def test_a_strange_value_costs_no_other_alert_of_its_group(source: str, value: str, field: str) -> None:
    """In any field: the others are read, in their order."""
    bare = {"status": "firing", "labels": {"alertname": "n"}}
    good = {"status": "RESOLVED", "labels": {"alertname": "Good"}, "fingerprint": "g"}
    found = read(source, {"status": "firing", "alerts": [good, bare | {field: STRANGE[value]}, good]})
    assert [alert.name for alert in found] in (
        ["Good", "n", "Good"],
        ["Good", "unreadable alert", "Good"],
        ["Good", "unnamed alert", "Good"],
    )
    assert [found[0].status, found[2].status] == [RESOLVED, RESOLVED]


@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
@pytest.mark.parametrize("value", STRANGE)
def test_a_strange_value_of_the_group_costs_none_of_its_alerts(source: str, value: str) -> None:
    """What the group says beside its alerts is only kept."""
    group = dict.fromkeys(("groupLabels", "commonLabels", "truncatedAlerts", "externalURL"), STRANGE[value])
    [alert] = read(source, {**group, "alerts": [{"status": "firing", "labels": {"alertname": "n"}}]})
    assert alert.name == "n"


@pytest.mark.parametrize(("value", "service"), [(5, "5"), (True, "true"), (["a"], None), ({"a": 1}, None)])
@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
def test_a_service_is_a_text_or_a_number(source: str, value: Any, service: str | None) -> None:
    """An object names no service: the alert is told as one that cannot be read, of the default one."""
    good = {"status": "firing", "labels": {"alertname": "Good"}}
    odd = {"status": "firing", "labels": {"alertname": "Odd", "service": value}}
    first, second = read(source, {"alerts": [odd, good]})
    assert first.service == (service or "ours")
    assert first.name == ("Odd" if service else "unreadable alert")
    assert second.name == "Good"


@pytest.mark.parametrize(
    ("source", "fields", "severity"),
    [
        ("pagerduty", {"priority": "P1"}, Severity.P1),
        ("pagerduty", {"priority": 1, "urgency": "HIGH"}, Severity.P2),
        ("pagerduty", {"urgency": 5}, None),
        ("incident-io", {"severity": "critical"}, Severity.P1),
        ("incident-io", {"severity": 1}, None),
        ("plain", {"severity": True}, None),
    ],
)
def test_a_name_alone_is_as_good_as_an_object_with_it(
    source: str, fields: dict[str, Any], severity: Severity | None
) -> None:
    """And a number or truth value claims no severity."""
    [alert] = read(source, sent(source, "x", **fields))
    assert alert.severity is severity


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("INCIDENT.TRIGGERED", FIRING),
        ("Incident.Acknowledged", ACKNOWLEDGED),
        ("incident.RESOLVED", RESOLVED),
    ],
)
def test_pagerdutys_events_are_known_in_any_case_of_letters(event_type: str, status: AlertStatus) -> None:
    """As every other status is."""
    data = {"type": "Incident", "id": "1", "title": "n", "service": "checkout"}
    [alert] = read("pagerduty", {"event": {"event_type": event_type, "data": data}})
    assert (alert.status, alert.service) == (status, "checkout")


def test_a_mode_is_known_in_any_case_of_letters() -> None:
    """Nobody is woken for a test."""
    assert read("incident-io", sent("incident-io", "x", mode="Test")) == []
