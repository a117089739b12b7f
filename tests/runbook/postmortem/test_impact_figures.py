"""The impact in figures follows from the history of the rates, and is nothing where there is none."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.postmortem.draft import ImpactFigures
from runbook.postmortem.impact_figures import impact_figures, total_rate
from tests.runbook.journals import OPENED

Points = list[tuple[datetime, float]]


def minutes(*rates: float, start: int = 0) -> Points:
    """One rate for each minute."""
    return [(OPENED + timedelta(minutes=start + number), rate) for number, rate in enumerate(rates)]


def at(minute: int) -> datetime:
    """A minute of the history."""
    return OPENED + timedelta(minutes=minute)


def test_history_becomes_totals_peak_share_and_span() -> None:
    """Rate times interval; impact lasts from the first to the last rate over the threshold."""
    errors = minutes(0.0, 2.0, 5.0, 0.05, 1.0, 0.0)
    figures = impact_figures(errors, minutes(10.0, 10.0, 10.0, 10.0, 10.0, 10.0), threshold=0.1)
    assert figures == ImpactFigures(
        errors_total=483.0,  # 60 s of 2, 5, 0.05 and 1
        peak_errors_per_second=5.0,
        peak_at=at(2),
        error_share=0.161,
        impact_started_at=at(1),
        impact_ended_at=at(4),
    )


def test_no_points_give_no_figures() -> None:
    """No data is not zero, even where requests were counted."""
    assert impact_figures([], minutes(10.0, 10.0), threshold=0.1) == ImpactFigures()


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_rates_up_to_the_threshold_are_no_impact(rate: float) -> None:
    """There was no impact to date; what was counted is still said."""
    figures = impact_figures(minutes(rate, rate), minutes(10.0, 10.0), threshold=0.1)
    assert (figures.impact_started_at, figures.impact_ended_at) == (None, None)
    assert figures.errors_total == pytest.approx(60 * rate)


@pytest.mark.parametrize("requests", [[], minutes(0.0, 0.0)])
def test_share_needs_requests(requests: Points) -> None:
    """Without counted requests the share is not known."""
    assert impact_figures(minutes(1.0, 1.0), requests, threshold=0.1).error_share is None


def test_share_is_never_more_than_all() -> None:
    """Two metrics never agree to the last request."""
    assert impact_figures(minutes(3.0, 3.0), minutes(2.9, 2.9), threshold=0.1).error_share == 1.0


def test_first_of_equal_peaks_is_the_peak() -> None:
    """The time of the peak is when it was reached."""
    assert impact_figures(minutes(1.0, 5.0, 5.0), [], threshold=0.1).peak_at == at(1)


def test_total_rate_adds_up_what_was_measured_at_the_same_moment() -> None:
    """Series that begin late or end early count for the moments that they have."""
    assert total_rate([minutes(1.0, 1.0, 1.0), minutes(2.0, 3.0, start=1), []]) == minutes(1.0, 3.0, 4.0)
    assert total_rate([]) == []


RATES = st.lists(st.floats(0, 1000), min_size=2, max_size=30)


@given(rates=RATES, threshold=st.floats(0, 1000))
def test_figures_agree_with_each_other(rates: list[float], threshold: float) -> None:
    """The peak lies within the impact exactly if there was one, and nothing is more than the peak allows."""
    points = minutes(*rates)
    figures = impact_figures(points, points, threshold=threshold)
    assert figures.peak_at is not None
    assert figures.errors_total is not None
    assert figures.errors_total <= max(rates) * 60 * (len(rates) - 1) + 0.1
    assert (figures.impact_started_at is not None) is (max(rates) > threshold)
    if figures.impact_started_at and figures.impact_ended_at:
        assert figures.impact_started_at <= figures.peak_at <= figures.impact_ended_at
