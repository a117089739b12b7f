"""Payloads as the programs send them, and the alerts that they are.

Alertmanager's are recorded (`tests/real/test_alertmanager_payloads.py`); those of Grafana, PagerDuty and
incident.io have the form of the examples in their public documentation.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.sources import SOURCES
from runbook.decision.severity import Severity

RECORDED = Path(__file__).parents[2] / "data" / "alerts"

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus
P1, P2, P3, _ = Severity


class Told(NamedTuple):
    """What a payload says of one alert."""

    service: str
    name: str
    status: AlertStatus
    severity: Severity | None
    fingerprint: str
    starts_at: datetime
    changed_at: datetime
    delivery: str = ""


def at(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ERRORS = ("posthog-integration", "PostHogErrorsHigh")
UNREACHABLE = ("posthog-integration", "PostHogUnreachable")
MEMORY = ("ours", "High memory usage")
BUMP = ("API Service", "A little bump in the road")
SAD = ("ours", "Our database is sad")
SAD_ID = "01FDAG4SAP5TYPT98WGR2N7W91"
PG_ERROR = ("ours", "*errors.withMessage: PG::Error failed to connect")
PG_ID = "01GW2G3V0S59R238FAHPDS1R66"
STALLED = ("posthog-integration", "SyncStalled")

RECORDED_AT = json.loads((RECORDED / "alertmanager" / "resolved.json").read_text())["alerts"][0]
BEGAN, ENDED = (datetime.fromisoformat(RECORDED_AT[name]) for name in ("startsAt", "endsAt"))
BUMPED = at("2020-04-09T15:16:27")
SADDENED = at("2021-08-17T13:28:57.801578")

CASES: dict[str, list[Told]] = {
    "alertmanager/firing": [
        Told(*ERRORS, FIRING, P2, "005eee19c26adc8c", BEGAN, BEGAN),
        Told(*UNREACHABLE, FIRING, P1, "36c7a71da7791a02", BEGAN, BEGAN),
    ],
    "alertmanager/resolved": [
        Told(*ERRORS, RESOLVED, P2, "005eee19c26adc8c", BEGAN, ENDED),
        Told(*UNREACHABLE, RESOLVED, P1, "36c7a71da7791a02", BEGAN, ENDED),
    ],
    "grafana/firing": [
        Told(
            *MEMORY,
            FIRING,
            None,
            "c6eadffa33fcdf37",
            at("2021-10-12T07:51:03.157076"),
            at("2021-10-12T07:51:03.157076"),
        ),
        Told(
            "ours",
            "High CPU usage",
            FIRING,
            None,
            "bc97ff14869b13e3",
            at("2021-10-12T07:56:03.157076"),
            at("2021-10-12T07:56:03.157076"),
        ),
    ],
    "grafana/resolved": [
        Told(
            *MEMORY,
            RESOLVED,
            None,
            "c6eadffa33fcdf37",
            at("2021-10-12T07:51:03.157076"),
            at("2021-10-12T08:11:03.157076"),
        )
    ],
    "pagerduty/incident_triggered": [
        Told(
            *BUMP, FIRING, P2, "PGR0VU2", BUMPED, at("2020-04-09T15:16:27.311"), "01BRB6ZP4M6T8ZG4X6BP63ZB01"
        )
    ],
    "pagerduty/incident_acknowledged": [
        Told(
            *BUMP,
            ACKNOWLEDGED,
            P1,
            "PGR0VU2",
            BUMPED,
            at("2020-04-09T15:18:02.004"),
            "01BRB6ZP4M6T8ZG4X6BP63ZB02",
        )
    ],
    "pagerduty/incident_priority_updated": [
        Told(
            *BUMP,
            FIRING,
            P1,
            "PGR0VU2",
            BUMPED,
            at("2020-10-02T18:45:22.169"),
            "5ac64822-4adc-4fda-ade0-410becf0de4f",
        )
    ],
    "pagerduty/incident_reassigned_when_acknowledged": [
        Told(
            *BUMP,
            ACKNOWLEDGED,
            P1,
            "PGR0VU2",
            BUMPED,
            at("2020-04-09T15:19:00"),
            "01BRB6ZP4M6T8ZG4X6BP63ZB03",
        )
    ],
    "pagerduty/incident_resolved": [
        Told(*BUMP, RESOLVED, P1, "PGR0VU2", BUMPED, at("2020-04-09T15:40:00"), "01BRB6ZP4M6T8ZG4X6BP63ZB04")
    ],
    "pagerduty/incident_reopened": [
        Told(*BUMP, FIRING, P1, "PGR0VU2", BUMPED, at("2020-04-09T15:50:00"), "01BRB6ZP4M6T8ZG4X6BP63ZB05")
    ],
    "pagerduty/incident_annotated": [],
    "pagerduty/incident_status_update_published": [],
    "pagerduty/service_updated": [],
    "pagerduty/pagey_ping": [],
    "incident-io/incident_created": [Told(*SAD, FIRING, None, SAD_ID, SADDENED, SADDENED)],
    "incident-io/incident_updated": [Told(*SAD, FIRING, P1, SAD_ID, SADDENED, at("2021-08-17T13:40:00.5"))],
    "incident-io/incident_status_updated": [
        Told(*SAD, RESOLVED, None, SAD_ID, SADDENED, at("2021-08-17T14:28:57.801578"))
    ],
    "incident-io/tutorial_created": [],
    "incident-io/private_incident_created": [],
    "incident-io/follow_up_created": [],
    "incident-io/alert_created": [Told(*PG_ERROR, FIRING, None, PG_ID, SADDENED, SADDENED)],
    "incident-io/alert_resolved": [
        Told(*PG_ERROR, RESOLVED, None, PG_ID, SADDENED, at("2021-08-17T14:28:57.801578"))
    ],
    "plain/firing": [
        Told(*STALLED, FIRING, P3, "sync-stalled", at("2026-03-01T09:00:00"), at("2026-03-01T09:00:00"))
    ],
    "plain/resolved": [
        Told(*STALLED, RESOLVED, None, "sync-stalled", at("2026-03-01T09:00:00"), at("2026-03-01T09:12:00"))
    ],
}


def payload(case: str) -> Any:
    """The recorded payload."""
    return json.loads((RECORDED / f"{case}.json").read_text())


def alerts(case: str) -> list[Alert]:
    """Its alerts, read as the ones of the service `ours` where it names none."""
    return SOURCES[case.partition("/")[0]].translate(payload(case), "ours")


def told(alert: Alert) -> Told:
    """What the table says of an alert."""
    return Told(**{field: getattr(alert, field) for field in Told._fields})


def test_every_recorded_payload_is_in_the_table() -> None:
    """A payload that nobody reads would prove nothing."""
    assert {str(path.relative_to(RECORDED).with_suffix("")) for path in RECORDED.rglob("*.json")} == set(
        CASES
    )
    assert {case.partition("/")[0] for case in CASES} == set(SOURCES)


@pytest.mark.parametrize("case", CASES)
def test_a_payload_is_read_as_the_alerts_that_it_tells_of(case: str) -> None:
    """Service, status, claimed severity, identity and times; none for an event that changes no alert."""
    found = alerts(case)
    assert [told(alert) for alert in found] == CASES[case]
    assert {alert.source for alert in found} <= {case.partition("/")[0]}
    assert all(alert.starts_at.tzinfo is UTC for alert in found if alert.starts_at)


@pytest.mark.parametrize(
    ("case", "url", "summary"),
    [
        (
            "alertmanager/firing",
            "http://prometheus.example:9090/graph?g0.expr=up",
            "Calls to PostHog fail",
        ),
        (
            "grafana/firing",
            "https://play.grafana.org/alerting/1afz29v7z/edit",
            "This alert was triggered for zone us-1",
        ),
        (
            "pagerduty/incident_triggered",
            "https://acme.pagerduty.com/incidents/PGR0VU2",
            "A little bump in the road",
        ),
        (
            "incident-io/incident_created",
            "https://app.incident.io/incidents/123",
            "Our database is really really sad, and we don't know why yet.",
        ),
        (
            "incident-io/alert_created",
            "https://www.my-alerting-platform.com/alerts/my-alert-123",
            "CPU on the payments service has exceeded 75 percent for 5 minutes",
        ),
        ("plain/firing", "https://example.com/sync", "No event has been synced for ten minutes"),
    ],
)
def test_people_get_the_senders_words_and_a_link(case: str, url: str, summary: str) -> None:
    """The summary is the sender's best text, the link leads to the alert there."""
    alert = alerts(case)[0]
    assert (alert.url, alert.summary) == (url, summary)


@pytest.mark.parametrize(
    ("case", "extra"),
    [
        (
            "alertmanager/firing",
            {
                "annotations": {"description": "See the dashboard", "summary": "Calls to PostHog fail"},
                "group": {
                    "receiver": "posthog-runbook",
                    "groupLabels": {"service": "posthog-integration"},
                    "externalURL": "http://alertmanager.example:9093",
                    "groupKey": '{}:{service="posthog-integration"}',
                    "truncatedAlerts": 0,
                },
            },
        ),
        (
            "grafana/firing",
            {
                "silenceURL": "https://play.grafana.org/alerting/silence/new?alertmanager=grafana"
                "&matchers=team%3Dblue%2Czone%3Dus-1",
                "dashboardURL": "",
                "panelURL": "",
                "values": {"B": 44.23943737541908, "C": 1},
            },
        ),
        (
            "pagerduty/incident_triggered",
            {
                "event_type": "incident.triggered",
                "incident_key": "d3640fbd41094207a1c11e58e46b1662",
                "number": 2,
                "urgency": "high",
            },
        ),
        (
            "incident-io/incident_status_updated",
            {
                "event_type": "public_incident.incident_status_updated_v2",
                "message": "All well again",
                "reference": "INC-123",
            },
        ),
        ("plain/firing", {"queue_length": 4211}),
    ],
)
def test_what_has_no_field_of_ours_is_kept(case: str, extra: dict[str, Any]) -> None:
    """Nothing that a sender said is lost for having no name here."""
    assert extra.items() <= alerts(case)[0].extra.items()


def test_grafanas_group_is_kept_with_each_alert() -> None:
    """The state and the message that Grafana wrote for the group are beside the alert."""
    group = alerts("grafana/resolved")[0].extra["group"]
    assert {"orgId": 1, "state": "ok", "groupKey": "{}:{}"}.items() <= group.items()


def test_an_alert_is_the_same_one_from_its_beginning_to_its_end() -> None:
    """A resolution names the alert that it ends."""
    for first, last in (
        ("alertmanager/firing", "alertmanager/resolved"),
        ("grafana/firing", "grafana/resolved"),
        ("pagerduty/incident_triggered", "pagerduty/incident_resolved"),
        ("incident-io/incident_created", "incident-io/incident_status_updated"),
        ("plain/firing", "plain/resolved"),
    ):
        assert alerts(first)[0].key == alerts(last)[0].key
