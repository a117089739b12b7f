"""The chart of the error rate is drawn whatever statuses and services are called."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.evidence.chart import draw_error_rate

AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["503", "$x^{$", "$\\frac$", "a\nb\x00", "phx_canary0Q7zX4bV9nM2kL8", "x" * 5000]
)
def test_a_name_is_drawn_as_text(name: str) -> None:
    """A dollar sign begins no formula, and a long name makes no chart that is all name."""
    points = [(AT + timedelta(minutes=minute), float(minute)) for minute in range(5)]
    png = draw_error_rate({name: points}, threshold=1.0, marks={"alert": AT}, title=f"{name}: errors")
    assert png.startswith(b"\x89PNG")
