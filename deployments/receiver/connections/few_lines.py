"""Log lines that strangers can cause: so few of them at a time that nobody can fill a disk with them."""

import logging
from time import monotonic

from deployments.processes.json_log import log_event

MOST = 20
WITHIN_SECONDS = 10.0


class FewLines:
    """Writes so many events within a time; the first one after that tells how many were left out."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._since = monotonic()
        self._written = self._left_out = 0

    def log_event(self, event: str, *, level: int, **fields: object) -> None:
        """Write one event with its fields, or count it."""
        now = monotonic()
        if now - self._since > WITHIN_SECONDS:
            if self._left_out:
                log_event(self._log, "lines left out", level=logging.WARNING, lines=self._left_out)
            self._since, self._written, self._left_out = now, 0, 0
        if self._written < MOST:
            self._written += 1
            log_event(self._log, event, level=level, **fields)
        else:
            self._left_out += 1
