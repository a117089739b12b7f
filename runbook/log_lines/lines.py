"""Lines of logs as the cluster gives them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from runbook.value import Value

_EPOCH = datetime.fromtimestamp(0, UTC)


class LogLine(NamedTuple):
    """A line of a container's log; `at` is when it was written (aware UTC), where the cluster says so."""

    pod: str
    container: str
    text: str
    at: datetime | None = None


class PodLogs(Value):
    """The lines of all pods in the window, oldest first; `pods_unread` says what is missing and why."""

    lines: tuple[LogLine, ...]
    pods_read: tuple[str, ...]
    pods_unread: dict[str, str] = {}


def in_order(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """The lines of several containers as one story, oldest first, if all have a time."""
    if any(line.at is None for line in lines):
        return tuple(lines)
    return tuple(sorted(lines, key=lambda line: line.at or _EPOCH))
