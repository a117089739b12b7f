"""Log lines that strangers can cause: so few of them at a time that nobody can fill a disk with them."""

import logging
from collections import Counter
from time import monotonic

from deployments.processes.json_log import log_event

MOST = 20
"""Lines of one event and status within the time."""

WITHIN_SECONDS = 10.0


class FewLines:
    """Writes so many lines of each event and status within a time, and tells later how many it left out.

    The status is part of it so that a flood of one kind of refusal cannot hide the advice of another kind.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._since = monotonic()
        self._seen: Counter[tuple[str, int]] = Counter()

    def log_event(self, event: str, *, level: int, status: int, **fields: object) -> None:
        """Write one event with its fields, or count it."""
        now = monotonic()
        if now - self._since > WITHIN_SECONDS:
            if left_out := sum(max(0, seen - MOST) for seen in self._seen.values()):
                log_event(self._log, "lines left out", level=logging.WARNING, lines=left_out)
            self._since = now
            self._seen.clear()
        self._seen[event, status] += 1
        if self._seen[event, status] <= MOST:
            log_event(self._log, event, level=level, status=status, **fields)
