"""Ids of incidents: in the order of time, and with nothing in them that a file name or a URL would mind."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from runbook.incidents.ids import INCIDENT_ID, new_incident_id


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
