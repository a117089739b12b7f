"""The lines of several containers as one story."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from heapq import merge

from runbook.checks.log_lines.lines import LogLine

_EPOCH = datetime.fromtimestamp(0, UTC)


def in_order(logs: Sequence[Sequence[LogLine]]) -> tuple[LogLine, ...]:
    """All lines, oldest first; those of one container keep their order.

    A line without a time, or with one before that of the line above it, belongs where its container wrote it.
    """
    timed = (_timed(number, lines) for number, lines in enumerate(logs))
    return tuple(line for _, _, _, line in merge(*timed, key=lambda item: item[:3]))


def _timed(number: int, lines: Sequence[LogLine]) -> Iterator[tuple[datetime, int, int, LogLine]]:
    latest = next((line.at for line in lines if line.at is not None), _EPOCH)
    for place, line in enumerate(lines):
        latest = max(latest, line.at or latest)
        yield latest, number, place, line
