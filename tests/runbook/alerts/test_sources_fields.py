"""How each field of an alert is read: claims, times, bounds, and what is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runbook.alerts.alert import MAX_SUMMARY, Alert, AlertStatus
from runbook.alerts.sources import SOURCES, EmptyAlerts, UnreadablePayload
from runbook.alerts.sources.incident_io import STATUS_OF_CATEGORY
from runbook.alerts.sources.reading import MAX_EXTRA, claimed_severity, storable
from runbook.decision.severity import Severity
from runbook.outside_text import MAX_NAME

RECORDED = Path(__file__).parents[2] / "data" / "alerts"


def read(source: str, payload: Any, default_service: str = "s") -> list[Alert]:
    """The alerts of a payload."""
    return SOURCES[source].translate(payload, default_service)


def in_group(**fields: Any) -> Alert:
    """One alert of Alertmanager's, as bare as it comes, with these fields."""
    bare = {"status": "firing", "labels": {"service": "s", "alertname": "A"}}
    [alert] = read("alertmanager", {"alerts": [bare | fields]})
    return alert


def plain(**fields: Any) -> Alert:
    """A plain alert with these fields."""
    [alert] = read("plain", {"name": "n", "summary": "x"} | fields)
    return alert


def pagerduty(event_type: str = "incident.triggered", **data: Any) -> dict[str, Any]:
    """An event about an incident as bare as it may come."""
    incident = {"type": "incident", "id": "P1", "title": "t", "service": {"summary": "s"}} | data
    return {"event": {"id": "e", "event_type": event_type, "data": incident}}


def incident_io(**incident: Any) -> dict[str, Any]:
    """An event about an incident as bare as it may come."""
    event_type = "public_incident.incident_updated_v2"
    fields = {"id": "I1", "name": "n", "incident_status": {"category": "live"}} | incident
    return {"event_type": event_type, event_type: fields}


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("P1", Severity.P1),
        (" p4 ", Severity.P4),
        ("critical", Severity.P1),
        ("error", Severity.P2),
        ("Warning", Severity.P3),
        ("info", Severity.P4),
        ("page", None),
        ("", None),
        (None, None),
    ],
)
def test_a_severity_label_is_a_claim_in_known_words(label: str | None, severity: Severity | None) -> None:
    """Words of the sender's own claim nothing."""
    assert claimed_severity(label) is severity


@pytest.mark.parametrize(
    ("annotations", "summary"),
    [
        ({"summary": "short", "description": "long"}, "short"),
        ({"summary": " ", "description": "long"}, "long"),
        ({}, "A"),
        (None, "A"),
    ],
)
def test_the_best_text_is_the_summary(annotations: dict[str, str] | None, summary: str) -> None:
    """An alert without annotations still says its name."""
    assert in_group(annotations=annotations).summary == summary


@pytest.mark.parametrize(
    ("starts_at", "expected"),
    [
        ("2026-03-01T10:00:00.123456789Z", datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-01T11:00:00+01:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("source", ["alertmanager", "plain"])
def test_times_are_utc_or_unknown(source: str, starts_at: str | None, expected: datetime | None) -> None:
    """Nanoseconds and offsets are read; Go's zero time and years that no clock shows are no times."""
    alert = in_group(startsAt=starts_at) if source == "alertmanager" else plain(starts_at=starts_at)
    assert alert.starts_at == expected
    assert alert.starts_at is None or alert.starts_at.tzinfo is UTC


def test_a_resolution_without_an_end_has_no_time() -> None:
    """The beginning of an alert says nothing of its end."""
    alert = in_group(status="resolved", startsAt="2026-03-01T10:00:00Z", endsAt="0001-01-01T00:00:00Z")
    assert alert.starts_at is not None
    assert alert.changed_at is None


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        ("alertmanager", {"alerts": [{"status": "firing", "labels": {"alertname": "A"}}]}),
        ("alertmanager", {"alerts": [{"status": "firing", "labels": {"service": "  "}}]}),
        ("grafana", {"alerts": [{"status": "firing", "labels": None}]}),
        ("pagerduty", pagerduty(service=None)),
        ("incident-io", incident_io()),
        ("plain", {"name": "n", "summary": "x"}),
    ],
)
def test_an_alert_that_names_no_service_is_of_the_default_one(source: str, payload: Any) -> None:
    """Without a default it cannot be read, and the text names the field."""
    assert [alert.service for alert in read(source, payload, "ours")] == ["ours"]
    with pytest.raises(UnreadablePayload, match=r"service.*: the service is missing"):
        read(source, payload, "")


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"priority": {"summary": "P3"}, "urgency": "high"}, Severity.P3),
        ({"priority": {"summary": "Boss is angry"}, "urgency": "high"}, Severity.P2),
        ({"priority": None, "urgency": "low"}, Severity.P3),
        ({}, None),
    ],
)
def test_pagerdutys_claim_is_the_priority_else_the_urgency(
    fields: dict[str, Any], severity: Severity | None
) -> None:
    """A priority that is named as ours says more than an urgency, which covers two."""
    [alert] = read("pagerduty", pagerduty(**fields))
    assert alert.severity is severity


@pytest.mark.parametrize(
    ("event_type", "status", "expected"),
    [
        ("incident.triggered", "triggered", AlertStatus.FIRING),
        ("incident.unacknowledged", "triggered", AlertStatus.FIRING),
        ("incident.reopened", "triggered", AlertStatus.FIRING),
        ("incident.acknowledged", "acknowledged", AlertStatus.ACKNOWLEDGED),
        ("incident.resolved", "resolved", AlertStatus.RESOLVED),
        ("incident.escalated", "triggered", AlertStatus.FIRING),
        ("incident.delegated", "triggered", AlertStatus.FIRING),
        ("incident.priority_updated", "resolved", AlertStatus.RESOLVED),
        ("incident.a_type_of_tomorrow", "acknowledged", AlertStatus.ACKNOWLEDGED),
    ],
)
def test_pagerdutys_status_is_the_events_else_the_incidents(
    event_type: str, status: str, expected: AlertStatus
) -> None:
    """A new priority of a resolved incident does not make it fire."""
    [alert] = read("pagerduty", pagerduty(event_type, status=status))
    assert alert.status is expected


@pytest.mark.parametrize(("category", "status"), STATUS_OF_CATEGORY.items())
def test_incident_ios_categories_are_all_known(category: str, status: AlertStatus) -> None:
    """Only an incident that goes on fires; one that is paused is known."""
    [alert] = read("incident-io", incident_io(incident_status={"category": category}))
    assert alert.status is status
    assert (status is AlertStatus.FIRING) == (category in ("triage", "live"))


@pytest.mark.parametrize("mode", ["test", "tutorial", "retrospective"])
def test_an_incident_that_nobody_needs_to_respond_to_is_no_alert(mode: str) -> None:
    """Someone who tries incident.io out wakes nobody here."""
    assert read("incident-io", incident_io(mode=mode)) == []


@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
def test_a_notification_of_nothing_is_told_apart(source: str) -> None:
    """It is no alert that was lost, so it can be refused without a response."""
    with pytest.raises(EmptyAlerts, match="alerts: the list is empty"):
        read(source, {"alerts": []})


@pytest.mark.parametrize(
    ("source", "payload", "mistake"),
    [
        ("alertmanager", {}, "alerts: field required"),
        ("alertmanager", {"alerts": [{"labels": {}}]}, "alerts.0.status: field required"),
        (
            "grafana",
            {"alerts": [{"status": "hunter2", "labels": {}}]},
            "alerts.0.status: input should be 'firing' or 'resolved'",
        ),
        (
            "alertmanager",
            {"alerts": [{"status": "firing", "labels": {"service": "s" * 256}}]},
            "alerts.0.labels.service: not a name of at most 255 printable characters",
        ),
        ("pagerduty", {"event": {"event_type": "x", "data": {}}}, "event.data.type: field required"),
        ("pagerduty", pagerduty(id=None), "event.data.id: the incident's id is missing"),
        (
            "pagerduty",
            pagerduty("incident.escalated", status="hunter2"),
            "event.data.status: not one of triggered, acknowledged, resolved",
        ),
        (
            "incident-io",
            {"event_type": "public_alert.alert_created_v1"},
            "public_alert.alert_created_v1: not an object",
        ),
        ("plain", {"name": " ", "summary": "x"}, "name: string should have at least 1 character"),
        (
            "plain",
            {"name": "n", "summary": "x", "starts_at": "2026-03-01T10:00:00"},
            "starts_at: input should have timezone info",
        ),
        ("plain", [], "the body: input should be a valid dictionary or instance of PlainAlert"),
    ],
)
def test_a_mistake_names_the_field_and_not_the_value(source: str, payload: Any, mistake: str) -> None:
    """The sender's operator can find it, and no secret that was sent by accident is told."""
    with pytest.raises(UnreadablePayload) as refused:
        read(source, payload)
    assert str(refused.value) == mistake
    assert not isinstance(refused.value, EmptyAlerts)


def test_a_sender_cannot_pass_as_another_source() -> None:
    """The source is the door that the alert came through; what the payload says of it is kept as said."""
    alert = plain(source="alertmanager")
    assert (alert.source, alert.extra) == ("plain", {"source": "alertmanager"})


def test_texts_are_bounded() -> None:
    """What has no end would not fit into the store or a message."""
    long = "word " * 1000
    alert = plain(
        name=long,
        summary=long,
        labels={long: long} | {str(n): "" for n in range(100)},
        url="http://x/" + "y" * 3000,
    )
    assert (len(alert.name), len(alert.summary)) == (MAX_NAME, MAX_SUMMARY)
    assert alert.name.endswith("…")
    assert len(alert.labels) == 64
    assert max(len(text) for label in alert.labels.items() for text in label) <= 1024
    assert alert.url == ""


def test_a_long_identity_stays_an_identity() -> None:
    """Two alerts whose fingerprints differ at the end are two alerts."""
    keys = {plain(fingerprint="f" * 300 + end).key for end in "ab"}
    assert len(keys) == 2
    assert all(len(key) <= MAX_NAME for key in keys)


def test_extra_is_bounded_by_whole_fields() -> None:
    """A field that is too long is named instead, and the ones after it are kept."""
    alert = plain(essay="x" * MAX_EXTRA, queue_length=3)
    assert alert.extra == {"queue_length": 3, "left_out": ["essay"]}


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("javascript:alert(1)", ""),
        ("https://example.com/|click <!channel>", ""),
        ("see the wiki", ""),
    ],
)
def test_a_link_is_an_address_of_the_web(url: str, link: str) -> None:
    """It ends up in messages and pages that people click in."""
    assert plain(url=url).url == link


def test_texts_hold_only_what_can_be_stored() -> None:
    """Neither NUL nor half a surrogate pair, which JSON can name, reaches the store."""
    sent = json.loads(
        '{"name": "a\\u0000b", "summary": "c\\ud800d\\u001b[31m", "more": {"k\\udfff": "\\u0000"}}'
    )
    alert = plain(**sent)
    assert (alert.name, alert.summary, alert.extra) == ("ab", "cd[31m", {"more": {"k": ""}})


def test_numbers_that_json_cannot_hold_become_texts() -> None:
    """Python reads NaN and numbers of any length from JSON; databases do not."""
    sent = [float("nan"), float("-inf"), 2**63 - 1, 2**70, -(2**70), 10**6000, True, 1.5]
    kept = storable(sent)
    assert kept[:5] == ["nan", "-inf", 2**63 - 1, "0x400000000000000000", "-0x400000000000000000"]
    assert len(kept[5]) == MAX_NAME
    assert kept[6:] == [True, 1.5]
