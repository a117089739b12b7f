"""Which log lines report an error, and of which HTTP status: the runbook's `grep -i error`, made exact.

A line is read by its form first (`forms`): JSON, logfmt, klog, access logs and the many forms of text. Its
level counts before its words (`levels`, `error_words`), a status in a named field before one in free text
(`statuses`). Lines that belong together, as those of a traceback, are one event (`events`). What cannot be
read is unknown.
"""

from runbook.checks.log_lines.lines import LogLine, PodLogs
from runbook.checks.log_lines.order import in_order
from runbook.checks.log_lines.reading import LineReading, http_status, is_error, read_line
from runbook.checks.log_lines.summary import summarise

__all__ = [
    "LineReading",
    "LogLine",
    "PodLogs",
    "http_status",
    "in_order",
    "is_error",
    "read_line",
    "summarise",
]
