"""The words beside the chart of the error rate, and its lines: a gap is no line, and no data is no zero."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.evidence.error_chart import Points, in_words, unbroken, with_total

AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"


def rates(*values: float | None) -> Points:
    """A rate a minute; none is a sample that is missing."""
    return [(AT + timedelta(minutes=n), rate) for n, rate in enumerate(values) if rate is not None]


@pytest.mark.parametrize(
    ("by_status", "says"),
    [
        ({}, ["no samples", "does not say that all is well"]),
        ({"503": rates(0, 0, 0)}, ["from 17:00 CET (16:00 UTC) to 17:02 CET (16:02 UTC): none"]),
        ({"503": rates(0, 4, 2)}, ["2 at the end", "at most 4 at 17:01 CET", "first at 17:01 CET", "503"]),
        ({"503": rates(0, 0.6), "502": rates(0, 0.6)}, ["1.2 at the end", "above it first at 17:01 CET"]),
        ({"503": rates(0, 0.5)}, ["never above it"]),
        ({"503": rates(1, 1, 1, None, None, None, 1, 1)}, ["1 gap without samples"]),
        ({str(n): rates(n) for n in range(500, 507)}, ["506, 505, 504, 503 and 3 more"]),
    ],
)
def test_the_words_say_what_is_seen(by_status: dict[str, Points], says: list[str]) -> None:
    """The times are the zone's, the sum is what the threshold is for, and gaps are counted."""
    words = in_words(by_status, threshold=1.0, time_zone=ZONE)
    assert all(part in words for part in says), words
    assert len(words) <= 1_000


@pytest.mark.parametrize(
    ("points", "lengths"),
    [
        (rates(), []),
        (rates(1), [1]),
        (rates(1, 2, 3), [3]),
        (rates(1, 2, 3, None, 5, 6), [5]),
        (rates(1, 2, 3, None, None, 6, 7), [3, 2]),
    ],
)
def test_a_gap_is_no_line(points: Points, lengths: list[int]) -> None:
    """One sample that is missing is none: Prometheus drops one now and then."""
    assert [len(run) for run in unbroken(points)] == lengths


def test_the_sum_is_drawn_where_there_are_several() -> None:
    """Statuses without an error are not drawn."""
    assert list(with_total({"503": rates(1), "502": rates(2), "500": rates(0)})) == ["502", "503", "all"]
    assert list(with_total({"503": rates(1), "500": rates(0)})) == ["503"]
