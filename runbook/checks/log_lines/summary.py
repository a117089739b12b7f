"""All error lines of a window, with what they say about PostHog."""

from collections import Counter

from runbook.checks.log_lines.events import events_of, read_event
from runbook.checks.log_lines.lines import PodLogs
from runbook.checks.log_lines.reading import LineReading
from runbook.checks.log_lines.subjects import Subject
from runbook.checks.readings import ErrorLine, LogReading

_POSTHOGS = (Subject.POSTHOG, Subject.UNSAID)


def summarise(logs: PodLogs, *, window_seconds: float) -> LogReading:
    """All errors, and how many of them tell which status of PostHog's.

    Errors that may be PostHog's and tell no status are counted apart: they are no sign that PostHog is well.
    """
    errors: list[tuple[ErrorLine, LineReading]] = []
    for event in events_of(logs.lines):
        reading = read_event(event)
        if reading.error:
            line = ErrorLine(pod=event.pod, text=event.text, status=reading.status)
            errors.append((line, reading))
    open_errors = [reading for _, reading in errors if _is_open(reading)]
    return LogReading(
        window_seconds=window_seconds,
        lines_read=len(logs.lines),
        errors=tuple(line for line, _ in errors),
        errors_by_status=dict(
            Counter(
                reading.status for _, reading in errors if reading.status and reading.subject in _POSTHOGS
            )
        ),
        unplaced_errors=len(open_errors),
        posthog_errors_without_status=sum(reading.subject is Subject.POSTHOG for reading in open_errors),
        pods_read=logs.pods_read,
        pods_unread=logs.pods_unread,
    )


def _is_open(reading: LineReading) -> bool:
    """Whether an error may be PostHog's without being counted as such."""
    if reading.subject is Subject.UNCERTAIN:
        return True
    return reading.status is None and reading.subject in _POSTHOGS
