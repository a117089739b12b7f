"""A P4 is due on the next business day of the team's own calendar; the other levels run around the clock."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.channels.local_time import in_zone
from runbook.decision.severity import Severity
from runbook.policy.business_hours import BusinessCalendar, Weekday
from runbook.policy.policy import Policy

LONDON = BusinessCalendar(time_zone="Europe/London")


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "after", "expected"),
    [
        (LONDON, "2026-11-23T10:00", "2026-11-24T09:00"),  # Monday: Tuesday
        (LONDON, "2026-11-23T03:00", "2026-11-24T09:00"),  # before opening: still the day after
        (LONDON, "2026-11-20T18:00", "2026-11-23T09:00"),  # Friday: over the weekend
        (LONDON, "2026-07-01T23:30", "2026-07-03T08:00"),  # in London it is the next day already
        (LONDON, "2026-03-27T12:00", "2026-03-30T08:00"),  # summer time began on the 29th
        (LONDON, "2026-10-23T12:00", "2026-10-26T09:00"),  # summer time ended on the 25th
        (
            BusinessCalendar(holidays=frozenset(date(2026, 12, day) for day in (25, 28, 29))),
            "2026-12-24T12:00",
            "2026-12-30T09:00",  # holiday, weekend and two more holidays in a row
        ),
        (
            BusinessCalendar(workdays=frozenset({Weekday.SUNDAY}), opens=time(7)),
            "2026-11-22T12:00",
            "2026-11-29T07:00",
        ),
        (BusinessCalendar(time_zone="Pacific/Auckland"), "2026-11-22T12:00", "2026-11-23T20:00"),
        (  # New York skipped 02:00 to 03:00 on 8 March: business opens when the gap ends
            BusinessCalendar(
                time_zone="America/New_York", opens=time(2, 30), workdays=frozenset({Weekday.SUNDAY})
            ),
            "2026-03-07T12:00",
            "2026-03-08T07:30",
        ),
    ],
)
def test_next_business_day_opens(calendar: BusinessCalendar, after: str, expected: str) -> None:
    """The next business day begins when business opens on the first workday after the local date."""
    assert calendar.next_business_day(at(after)) == at(expected)


days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
calendars = st.builds(
    BusinessCalendar,
    time_zone=st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    opens=st.times(max_value=time(11)),
    closes=st.times(min_value=time(12)),
    workdays=st.frozensets(st.sampled_from(Weekday), min_size=1),
    holidays=st.frozensets(days, max_size=30),
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(calendar=calendars, after=moments)
def test_next_business_day_is_a_later_workday(calendar: BusinessCalendar, after: datetime) -> None:
    """Whatever the calendar, the result is a workday after the moment's own date, and business is open."""
    found = calendar.next_business_day(after)
    local = in_zone(found, calendar.time_zone)
    assert found > after
    assert found.utcoffset() == timedelta(0)
    assert calendar.is_workday(local.date())
    assert local.date() > in_zone(after, calendar.time_zone).date()


@pytest.mark.parametrize(
    ("severity", "due"),
    [
        (Severity.P1, "2026-11-20T18:15"),
        (Severity.P2, "2026-11-20T19:00"),
        (Severity.P3, "2026-11-20T22:00"),
        (Severity.P4, "2026-11-23T17:00"),
    ],
)
def test_response_is_due(severity: Severity, due: str) -> None:
    """P1 to P3 add their response time; P4, raised on a Friday evening, has until Monday's close."""
    assert Policy(calendar=LONDON).response_due(severity, at("2026-11-20T18:00")) == at(due)


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": "Europe"},
        {"opens": time(17), "closes": time(9)},
        {"opens": time(9, tzinfo=UTC)},
        {"workdays": frozenset()},
        {"workdays": frozenset({"caturday"})},
    ],
)
def test_calendar_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    """A wrong calendar is found when it is written, not in the night when it is needed."""
    with pytest.raises(ValidationError):
        BusinessCalendar.model_validate(fields)


def test_moment_without_a_zone_is_refused() -> None:
    """A naive time would be read on some machine's clock."""
    with pytest.raises(ValueError, match="time zone"):
        LONDON.next_business_day(datetime(2026, 11, 23, 10))  # noqa: DTZ001 - the naive time is the point
