"""The runbook's own log lines, whoever writes them out: each on one line, masked, steering no terminal.

Prefect shows them in its UI, and a worker's go to its log file. Their texts may hold what an outside system
said.
"""

import logging

from runbook.outside_text import let_in, let_in_line

_LONGEST_LINE = 4000
_LONGEST_TRACE = 20_000


class _OwnLines(logging.Filter):
    """Takes the text and the traceback of a line through the door, before any handler sees it."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = let_in_line(record.getMessage(), _LONGEST_LINE), ()
        if record.exc_info:
            trace = self._formatter.formatException(record.exc_info)
            record.exc_text, record.exc_info = let_in(trace, _LONGEST_TRACE), None
        return True


_OWN_LINES = _OwnLines()


def own_lines(log: logging.Logger) -> logging.Logger:
    """The logger, whose lines are made safe from here on."""
    log.addFilter(_OWN_LINES)
    return log
