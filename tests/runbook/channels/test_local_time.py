"""Times and durations read the same everywhere."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.channels.local_time import clock, clock_after, hours_and_minutes, span, stamp

AT = datetime(2026, 11, 22, 15, 51, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "15:51 UTC"),
        ("Europe/Berlin", "16:51 CET (15:51 UTC)"),
        ("Asia/Kolkata", "21:21 IST (15:51 UTC)"),
    ],
)
def test_clock_names_its_zone(zone: str, text: str) -> None:
    """A time is never shown without its zone, and UTC stands beside a local one."""
    assert clock(AT, zone) == text


def test_stamp_has_the_date_of_the_reader() -> None:
    """The date is that of the reader's zone."""
    assert stamp(AT, "Pacific/Auckland") == "2026-11-23 04:51 NZDT (15:51 UTC)"


def test_another_day_is_named() -> None:
    """A promised time on another day carries its date."""
    assert clock_after(AT + timedelta(hours=1), AT) == "16:51 UTC"
    assert clock_after(AT + timedelta(days=1), AT) == "2026-11-23 15:51 UTC"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(hours=2, minutes=5, seconds=59), "2 hours 5 minutes"),
        (timedelta(hours=1, minutes=1), "1 hour 1 minute"),
        (timedelta(days=1, hours=2), "26 hours 0 minutes"),
        (timedelta(seconds=42), "42 seconds"),
        (timedelta(seconds=-3), "0 seconds"),
    ],
)
def test_hours_and_minutes(length: timedelta, text: str) -> None:
    """The post-mortem's form of a duration."""
    assert hours_and_minutes(length) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (42, "42 s"), (192, "3 min 12 s"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")],
)
def test_span(seconds: float, text: str) -> None:
    """A short form with the two units that matter."""
    assert span(timedelta(seconds=seconds)) == text
