"""The chart of the error rate is drawn whatever statuses and services are called."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.evidence.chart import PHONE, draw_error_rate

AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["503", "$x^{$", "$\\frac$", "a\nb\x00", "phx_canary0Q7zX4bV9nM2kL8", "x" * 5000]
)
def test_a_name_is_drawn_as_text(name: str) -> None:
    """A dollar sign begins no formula, and a long name makes no chart that is all name."""
    points = [(AT + timedelta(minutes=minute), float(minute)) for minute in range(5)]
    png = draw_error_rate({name: points}, threshold=1.0, marks={"alert": AT}, title=f"{name}: errors")
    assert png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "rates", [[], [0.0] * 30, [3.0], [1.0, 2.0, 3.0]], ids=["none", "zero", "one", "few"]
)
def test_a_phone_s_chart_is_drawn_of_whatever_there_is(rates: list[float]) -> None:
    """No samples, no errors, one sample: a picture each time, and another one."""
    points = [(AT + timedelta(minutes=minute), rate) for minute, rate in enumerate(rates)]
    between = (AT - timedelta(minutes=30), AT + timedelta(minutes=40))
    pictures = [
        draw_error_rate(
            by_status, threshold=1.0, marks={}, title="x", between=between, time_zone=zone, format=PHONE
        )
        for by_status in ({"503": points} if points else {}, {"503": points, "502": points})
        for zone in ("Europe/Berlin", "UTC")
    ]
    assert all(png.startswith(b"\x89PNG") for png in pictures)
    assert len(set(pictures[:2])) == 2
