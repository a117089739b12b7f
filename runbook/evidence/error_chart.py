"""What a chart of the error rate shows, in words and as lines: gaps stay gaps, and no data is no zero."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from runbook.channels.local_time import clock
from runbook.outside_text import let_in_line

Points = Sequence[tuple[datetime, float]]

ALL = "all"
"""The line of all statuses together, which the threshold is for."""

LONGEST_LABEL = 24
_GAP = 2.5
"""More steps than this between two samples are a gap."""

_MOST_STATUSES = 4


def with_total(by_status: Mapping[str, Points]) -> dict[str, Points]:
    """The statuses with errors, and their sum where there are several: the threshold is for the sum."""
    seen = {status: points for status, points in sorted(by_status.items()) if any(rate for _, rate in points)}
    if len(seen) > 1:
        seen[ALL] = sorted(_total(by_status).items())
    return seen


def unbroken(points: Points) -> list[Points]:
    """The points in runs without a gap between them: a line over a gap would say what nobody knows."""
    runs: list[list[tuple[datetime, float]]] = []
    longest = _step(points) * _GAP
    for at, rate in points:
        if not runs or at - runs[-1][-1][0] > longest:
            runs.append([])
        runs[-1].append((at, rate))
    return list(runs)


def in_words(by_status: Mapping[str, Points], *, threshold: float, time_zone: str) -> str:
    """What the chart shows, for whoever does not see it. Rates are errors per second, times the zone's."""
    total = sorted(_total(by_status).items())
    if not total:
        return "Errors per second from PostHog: there are no samples, which does not say that all is well"
    zone = time_zone
    first, (last, rate) = total[0][0], total[-1]
    span = f"from {clock(first, zone)} to {clock(last, zone)}"
    if not any(value for _, value in total):
        said = f"Errors per second from PostHog {span}: none"
    else:
        top_at, top = max(total, key=lambda point: point[1])
        above = [at for at, value in total if value > threshold]
        crossed = f"above it first at {clock(above[0], zone)}" if above else "never above it"
        said = (
            f"Errors per second from PostHog {span}: {rate:.3g} at the end, at most {top:.3g} at "
            f"{clock(top_at, zone)}; the threshold is {threshold:g}, {crossed}; "
            f"HTTP status {_which(by_status)}"
        )
    gaps = len(unbroken(total)) - 1
    return f"{said}; {gaps} {'gap' if gaps == 1 else 'gaps'} without samples" if gaps else said


def _total(by_status: Mapping[str, Points]) -> dict[datetime, float]:
    total: dict[datetime, float] = {}
    for points in by_status.values():
        for at, rate in points:
            total[at] = total.get(at, 0.0) + rate
    return total


def _step(points: Points) -> timedelta:
    """The usual time between two samples: the middle one of all."""
    times = [at for at, _ in points]
    steps = sorted(later - earlier for earlier, later in pairwise(times))
    return steps[len(steps) // 2] if steps else timedelta(0)


def _which(by_status: Mapping[str, Points]) -> str:
    """The statuses, those with the most errors first."""
    most = {status: sum(rate for _, rate in points) for status, points in by_status.items()}
    names = [name for name in sorted(most, key=lambda name: -most[name]) if most[name]]
    named = ", ".join(let_in_line(name, LONGEST_LABEL) for name in names[:_MOST_STATUSES])
    rest = len(names) - _MOST_STATUSES
    return f"{named} and {rest} more" if rest > 0 else named
