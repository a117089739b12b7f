"""Payloads in forms that senders really use, and what each of them says.

A label or id that is a number is a text, one alert that cannot be read costs no other, and a recovery is one
whatever its sender calls it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources import SOURCES, UnreadablePayload
from runbook.alerts.sources.status_words import STATUS_WORDS
from runbook.decision.severity import Severity

CASES = Path(__file__).parents[2] / "data" / "alert-cases"
SERVICE = "posthog-integration"

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus
Told = tuple[str, AlertStatus, str]
"""An alert's name, status and fingerprint."""

RIGHT: dict[str, tuple[str, list[Told]]] = {
    "A1-mixed-truncated": ("alertmanager", [("One", FIRING, "fp-One"), ("Two", RESOLVED, "fp-Two")]),
    "A2-groups-as-strings": (
        "alertmanager",
        [("PostHogErrorsHigh", FIRING, "fp-PostHogErrorsHigh")],
    ),
    "A3-empty-labels-zero-start": ("alertmanager", [("unnamed alert", FIRING, "")]),
    "A4-number-label": ("alertmanager", [("Good", FIRING, "fp-Good"), ("Bad", FIRING, "fp-Bad")]),
    "A4b-resolved": ("alertmanager", [("Good", RESOLVED, "fp-Good"), ("Bad", RESOLVED, "fp-Bad")]),
    "D1-responder-added": ("pagerduty", []),
    "D2-triggered": ("pagerduty", [("A <!channel> bump", FIRING, "PGR0VU2")]),
    "D2b-priority": ("pagerduty", [("A <!channel> bump", FIRING, "PGR0VU2")]),
    "D2d-title": ("pagerduty", [("unnamed incident", FIRING, "PGR0VU2")]),
    "D2e-resolved": ("pagerduty", [("A <!channel> bump", RESOLVED, "PGR0VU2")]),
    "G1-datasource-nodata": ("grafana", [("DatasourceNoData", FIRING, "41427831fa75cd25")]),
    "G1b-datasource-error": ("grafana", [("DatasourceError", FIRING, "e1427831fa75cd25")]),
    "G3-legacy-alerting": ("grafana", [("Test Lambda Alert", FIRING, "rule-2")]),
    "G3b-legacy-ok": ("grafana", [("Test Lambda Alert", RESOLVED, "rule-2")]),
    "I1-created": ("incident-io", [("Our database is sad", FIRING, "01F")]),
    "I1b-closed": ("incident-io", [("Our database is sad", RESOLVED, "01F")]),
    "I1c-private": ("incident-io", []),
    "P3-plain-number-label": ("plain", [("n", FIRING, "")]),
    "P3b-plain-RESOLVED": ("plain", [("n", RESOLVED, "a")]),
    "P3d-plain-int-fp": ("plain", [("n", FIRING, "12345")]),
    "P3e-plain-int-sev": ("plain", [("n", FIRING, "")]),
}


def case(name: str) -> Any:
    """What was sent."""
    return json.loads((CASES / f"{name}.json").read_text())


def read(source: str, payload: Any) -> list[Alert]:
    """The alerts of a payload."""
    return SOURCES[source].translate(payload, SERVICE)


@pytest.mark.parametrize("name", RIGHT)
def test_each_form_says_what_its_sender_means(name: str) -> None:
    """All its alerts, each with its name, status and identity."""
    source, told = RIGHT[name]
    assert [(alert.name, alert.status, alert.fingerprint) for alert in read(source, case(name))] == told


def test_a_resolution_is_about_the_alert_that_fired() -> None:
    """Also where a label is a number and the sender gives no fingerprint."""
    fired, over = case("A4-number-label"), case("A4b-resolved")
    for sent in (*fired["alerts"], *over["alerts"]):
        del sent["fingerprint"]
    assert [it.key for it in read("alertmanager", fired)] == [it.key for it in read("alertmanager", over)]


def test_a_name_shows_what_it_is_and_commands_nothing() -> None:
    """A name with joined emoji and a direction mark, and a text with a terminal's commands."""
    [alert] = read("alertmanager", case("A5-newline-unicode"))
    assert alert.name.startswith("Wörld")
    assert "\u202e" not in alert.name
    assert "\x1b" not in alert.summary


def test_a_time_without_a_zone_is_a_mistake() -> None:
    """Nobody can tell when it was; the receiver makes an alert of it that a person can read."""
    with pytest.raises(UnreadablePayload, match="starts_at: input should have timezone info"):
        read("plain", case("P3c-plain-naive"))


def test_a_number_claims_no_severity() -> None:
    """One sender's 1 is the worst, and another's the mildest."""
    [alert] = read("plain", case("P3e-plain-int-sev"))
    assert alert.severity is None
    assert read("plain", {"name": "n", "summary": "s", "severity": "P1"})[0].severity is Severity.P1


@pytest.mark.parametrize(
    ("value", "text"),
    [(9090, "9090"), (0.5, "0.5"), (True, "true"), (False, "false"), (None, ""), (["a", 1], '["a",1]')],
)
@pytest.mark.parametrize("source", ["alertmanager", "grafana", "plain"])
def test_a_label_of_another_type_is_its_json(source: str, value: Any, text: str) -> None:
    """Nothing of it is lost, and no other alert either."""
    labels = {"alertname": "n", "port": value}
    plain = {"name": "n", "summary": "s", "labels": labels}
    payload = plain if source == "plain" else {"alerts": [{"status": "firing", "labels": labels}]}
    [alert] = read(source, payload)
    assert alert.labels["port"] == text


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        ("plain", {"name": 5, "summary": 6, "fingerprint": 12}),
        ("alertmanager", {"alerts": [{"status": "firing", "labels": {"alertname": 5}, "fingerprint": 12}]}),
        (
            "pagerduty",
            {
                "event": {
                    "id": 1,
                    "event_type": "x",
                    "data": {"type": "incident", "id": 12, "title": 5, "status": "Triggered"},
                }
            },
        ),
        (
            "incident-io",
            {
                "event_type": "public_incident.incident_updated_v2",
                "public_incident.incident_updated_v2": {
                    "id": 12,
                    "name": 5,
                    "incident_status": {"category": "live"},
                },
            },
        ),
    ],
)
def test_an_id_or_name_that_is_a_number_is_a_text(source: str, payload: Any) -> None:
    """It is the same one each time."""
    [alert] = read(source, payload)
    assert (alert.name, alert.fingerprint) == ("5", "12")


BROKEN: dict[str, Any] = {
    "no status": {"labels": {"alertname": "B"}},
    "labels that are a list": {"status": "firing", "labels": ["a"]},
    "no object": "firing",
    "a time that is none": {"status": "firing", "labels": {}, "startsAt": "yesterday"},
    "a service that is none": {"status": "firing", "labels": {"service": "s" * 999}},
}


@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
@pytest.mark.parametrize("broken", BROKEN)
def test_an_alert_that_cannot_be_read_spoils_no_other(source: str, broken: str) -> None:
    """It is an alert of its own, with what was sent and why it cannot be read."""
    good = {"status": "resolved", "labels": {"alertname": "Good"}, "fingerprint": "g"}
    first, second = read(source, {"alerts": [BROKEN[broken], good]})
    assert (first.name, first.status, first.service) == ("unreadable alert", FIRING, SERVICE)
    assert "alerts.0" in first.summary
    assert first.extra["alert"] == BROKEN[broken]
    assert (second.name, second.status, second.fingerprint) == ("Good", RESOLVED, "g")


def test_what_cannot_be_read_can_end_all_the_same() -> None:
    """Its identity and its end are what the others' are."""
    good = {"status": "firing", "labels": {"alertname": "Good"}}
    broken = {"labels": ["a"], "fingerprint": 7}
    fired, _ = read("alertmanager", {"alerts": [{**broken, "status": "firing"}, good]})
    over, _ = read("alertmanager", {"alerts": [{**broken, "status": "RESOLVED"}, good]})
    assert (fired.status, over.status) == (FIRING, RESOLVED)
    assert fired.key == over.key


def test_a_recovery_that_cannot_be_read_begins_nothing() -> None:
    """It is no alert that fires; one that neither ends nor can be read is refused as a whole."""
    [alert] = read("alertmanager", {"alerts": [{"labels": ["a"], "status": "resolved"}]})
    assert alert.status is RESOLVED
    with pytest.raises(UnreadablePayload, match=r"alerts\.0\.labels"):
        read("alertmanager", {"alerts": [{"labels": ["a"], "status": "firing"}]})


@pytest.mark.parametrize("word", ["resolved", "ok", "recovered", "closed", "inactive"])
@pytest.mark.parametrize("spelling", [str, str.upper, str.title, lambda word: f" {word} "])
@pytest.mark.parametrize("source", ["alertmanager", "grafana", "plain", "pagerduty", "incident-io", "legacy"])
def test_a_recovery_is_a_recovery_whatever_it_is_called(source: str, word: str, spelling: Any) -> None:
    """In any case of letters, from every source."""
    status = spelling(word)
    event = "public_alert.alert_resolved_v1"
    payloads: dict[str, Any] = {
        "plain": {"name": "n", "summary": "s", "status": status},
        "pagerduty": {
            "event": {"event_type": "x", "data": {"type": "incident", "id": "P", "status": status}}
        },
        "incident-io": {"event_type": event, event: {"id": "A", "status": status}},
        "legacy": {"ruleName": "n", "state": status},
    }
    group = {"alerts": [{"status": status, "labels": {"alertname": "n"}}]}
    [alert] = read("grafana" if source == "legacy" else source, payloads.get(source, group))
    assert alert.status is RESOLVED


@pytest.mark.parametrize("word", [word for word, status in STATUS_WORDS.items() if status is FIRING])
def test_what_goes_on_is_no_recovery(word: str) -> None:
    """Words for the same status are known both ways."""
    assert read("plain", {"name": "n", "summary": "s", "status": word.upper()})[0].status is FIRING


@pytest.mark.parametrize("status", ["hunter2", "", 0, 1, True, "not ok", "unresolved"])
def test_a_status_that_nobody_knows_is_no_recovery(status: Any) -> None:
    """It is a mistake, of which a person hears."""
    with pytest.raises(UnreadablePayload, match="status: input should be"):
        read("plain", {"name": "n", "summary": "s", "status": status})


@pytest.mark.parametrize(
    ("state", "status"), [("no_data", FIRING), ("alerting", FIRING), ("ok", RESOLVED), ("paused", None)]
)
def test_a_legacy_rule_without_data_is_not_well(state: str, status: AlertStatus | None) -> None:
    """A missing metric never counts as healthy; other states say nothing about trouble."""
    payload = {"ruleName": "n", "state": state, "tags": {"service": "s", "severity": "critical"}}
    if status is None:
        with pytest.raises(UnreadablePayload, match="state: not one of alerting, ok, no_data"):
            read("grafana", payload)
    else:
        [alert] = read("grafana", payload)
        assert (alert.status, alert.service, alert.severity) == (status, "s", Severity.P1)
