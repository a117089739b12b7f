"""What other programs send, as alerts; and the ids of what they open."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from runbook.alertmanager import UnreadablePayload, alerts_of, claimed_severity
from runbook.incident_ids import INCIDENT_ID, new_incident_id
from runbook.plain_alert import plain_alert
from runbook.severity import Severity


def sent(**fields: Any) -> dict[str, Any]:
    """One alert of Alertmanager's, as bare as it comes."""
    return {"status": "firing", "labels": {"service": "s", "alertname": "A"}} | fields


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
        ({"description": "long"}, "long"),
        ({}, "A"),
    ],
)
def test_the_best_text_is_the_summary(annotations: dict[str, str], summary: str) -> None:
    """An alert without annotations still says its name."""
    [alert] = alerts_of({"alerts": [sent(annotations=annotations)]})
    assert alert.summary == summary


@pytest.mark.parametrize(
    ("starts_at", "expected"),
    [
        ("2026-03-01T10:00:00.123456789Z", datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-01T11:00:00+01:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times_are_aware_and_gos_zero_time_is_none(starts_at: str, expected: datetime | None) -> None:
    """Nanoseconds and offsets are read; the year 1 is Go's way to say that there is no time."""
    [alert] = alerts_of({"alerts": [sent(startsAt=starts_at)]})
    assert alert.starts_at == expected


def test_grafanas_payload_is_read_too() -> None:
    """It is Alertmanager's with more fields and another version."""
    [alert] = alerts_of(
        {
            "version": "1",
            "orgId": 1,
            "state": "alerting",
            "alerts": [sent(values={"A": 1.5}, dashboardURL="http://g", valueString="[ var='A' ]")],
        }
    )
    assert (alert.service, alert.name) == ("s", "A")


@pytest.mark.parametrize("payload", [None, [], "text", 7, {"alerts": {}}, {"alerts": [7]}])
def test_what_is_no_notification_is_refused(payload: Any) -> None:
    """Whatever comes in, the answer names the field and not the value."""
    with pytest.raises(UnreadablePayload):
        alerts_of(payload)


def test_a_plain_alerts_source_is_told_by_the_receiver() -> None:
    """A sender cannot pass as another source."""
    alert = plain_alert({"service": "s", "name": "n", "summary": "x", "source": "alertmanager"})
    assert alert.source == "http"


def test_an_incident_id_is_utc_and_sorts_by_time() -> None:
    """The zone of the clock that made it does not show."""
    paris = timezone(timedelta(hours=1))
    first = new_incident_id(datetime(2026, 3, 1, 0, 30, tzinfo=paris), "00ff")
    second = new_incident_id(datetime(2026, 2, 28, 23, 30, 1, tzinfo=UTC), "0000")
    assert first == "inc-20260228-233000-00ff"
    assert first < second
    assert INCIDENT_ID.fullmatch(second)


@pytest.mark.parametrize("token", ["", "abc", "abcde", "ABCD", "xyzw", "../."])
def test_an_incident_id_takes_no_other_token(token: str) -> None:
    """Ids end up in URLs and file names."""
    with pytest.raises(ValueError, match="not four hex digits"):
        new_incident_id(datetime(2026, 3, 1, tzinfo=UTC), token)


def test_an_incident_id_needs_a_time_zone() -> None:
    """A local time would sort wrongly."""
    with pytest.raises(ValueError, match="time zone"):
        new_incident_id(datetime(2026, 3, 1), "0000")  # noqa: DTZ001  what is refused
