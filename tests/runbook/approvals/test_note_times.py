"""When something happened that a person notes: what they type is read on their clocks, and bounded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.note_times import AHEAD, BEFORE, time_of_note

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
OPENED = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)


def read(said: str, *, now: datetime = NOW, opened: datetime = OPENED, zone: str = BERLIN) -> datetime:
    """What it means."""
    return time_of_note(said, now=now, opened_at=opened, time_zone=zone)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("15:05", "2026-11-22T14:05"),
        (" 9:05 ", "2026-11-22T08:05"),
        ("16:31", "2026-11-22T15:31"),
        ("2026-11-22T14:05+01:00", "2026-11-22T13:05"),
        ("2026-11-22T14:05Z", "2026-11-22T14:05"),
        ("2026-11-22 14:05:30-05:00", None),
        ("2026-11-21 13:00+00:00", "2026-11-21T13:00"),
    ],
)
def test_a_time_is_read_on_the_clocks_of_the_zone(said: str, meant: str | None) -> None:
    """A minute ahead is taken for a clock that is fast; in full it is taken as it says."""
    if meant is None:
        with pytest.raises(InvalidAnswer, match="still to come"):
            read(said)
    else:
        assert read(said) == datetime.fromisoformat(meant).replace(tzinfo=UTC)


def test_after_midnight_the_clock_of_the_evening_is_yesterdays() -> None:
    """As long as the incident was open then; else nobody can tell which day is meant."""
    now = datetime(2026, 11, 22, 0, 10, tzinfo=UTC)
    evening = datetime(2026, 11, 21, 23, 50, tzinfo=UTC)
    assert read("23:50", now=now, opened=evening - timedelta(hours=1), zone="UTC") == evening
    with pytest.raises(InvalidAnswer, match="23:50 UTC is still to come"):
        read("23:50", now=now, opened=evening + timedelta(minutes=1), zone="UTC")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("16:32", "still to come"),
        ("2026-11-21T12:59Z", "more than a day before the incident"),
        ("0001-01-01T00:00+14:00", "cannot be read"),
        ("9999-12-31T23:59-14:00", "cannot be read"),
        ("2026-11-22T14:05", "has no zone"),
        ("2026-11-22", "has no zone"),
        ("25:00", "cannot be read"),
        ("14:60", "cannot be read"),
        ("\u0661\u0664:\u0660\u0665", "cannot be read"),
        ("yesterday", "cannot be read"),
        ("phx_canary0Q7zX4bV9nM2kL8", "cannot be read"),
        ("", "cannot be read"),
        ("2026-11-22T14:05+01:00" * 1000, "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: str, why: str) -> None:
    """With what is wrong, and without quoting what could be anything."""
    with pytest.raises(InvalidAnswer, match=why) as error:
        read(said)
    assert "phx_" not in str(error.value)


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)]
)
def test_an_hour_that_is_skipped_or_comes_twice_has_to_be_written_in_full(day: datetime) -> None:
    """On the nights when the clocks are changed, 02:30 is no moment, or two."""
    with pytest.raises(InvalidAnswer, match="02:30 is not one moment"):
        read("2:30", now=day, opened=day - timedelta(hours=12))


@given(
    said=st.text(max_size=30)
    | st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat)
    | st.times().map(lambda at: f"{at:%H:%M}"),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    age=st.timedeltas(timedelta(), timedelta(days=30)),
)
def test_whatever_is_typed_is_a_moment_in_bounds_or_refused(said: str, now: datetime, age: timedelta) -> None:
    """Nothing else comes of it, and the moment is in UTC."""
    try:
        moment = read(said, now=now, opened=now - age)
    except InvalidAnswer:
        return
    assert now - age - BEFORE <= moment <= now + AHEAD
    assert moment.tzinfo is UTC
