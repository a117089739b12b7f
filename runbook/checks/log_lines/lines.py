"""Lines of logs as the cluster gives them."""

from datetime import datetime
from typing import NamedTuple

from runbook.value import Value


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
