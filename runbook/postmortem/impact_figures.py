"""Impact in figures, computed from the history of the error rate."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from runbook.postmortem.draft import ImpactFigures

Points = Sequence[tuple[datetime, float]]
"""A rate per second over time (aware UTC), oldest first."""


def total_rate(series: Sequence[Points]) -> list[tuple[datetime, float]]:
    """The sum of several rates at each moment that any of them has."""
    sums: dict[datetime, float] = {}
    for points in series:
        for at, value in points:
            sums[at] = sums.get(at, 0.0) + value
    return sorted(sums.items())


def impact_figures(errors: Points, requests: Points, *, threshold: float) -> ImpactFigures:
    """Totals by summing rate times interval; impact is from the first to the last rate over the threshold.

    Without points there are no figures: no data is not zero.
    """
    if not errors:
        return ImpactFigures()
    peak_at, peak = max(errors, key=lambda point: point[1])
    over = [at for at, value in errors if value > threshold]
    failed, asked = _integral(errors), _integral(requests)
    return ImpactFigures(
        errors_total=round(failed, 1) if len(errors) > 1 else None,
        peak_errors_per_second=round(peak, 3),
        peak_at=peak_at,
        error_share=min(1.0, failed / asked) if asked else None,
        impact_started_at=over[0] if over else None,
        impact_ended_at=over[-1] if over else None,
    )


def _integral(points: Points) -> float:
    """Each rate holds until the next point; the last one is a moment and adds nothing."""
    return sum(value * (following - at).total_seconds() for (at, value), (following, _) in pairwise(points))
