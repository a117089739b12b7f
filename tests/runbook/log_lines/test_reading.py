"""Every form of a log line is read: whether it reports an error, and which HTTP status."""

import pytest

from runbook.checks.log_lines import http_status, is_error, read_line
from runbook.checks.log_lines.subjects import Subject
from tests.runbook.log_lines.recorded import LINES


def test_every_recorded_line_is_read_as_it_says() -> None:
    """The level counts before the words, and a status where its surroundings make it one."""
    read = [(line, (is_error(line), http_status(line)), (error, status)) for line, error, status in LINES]
    assert [(line, found, expected) for line, found, expected in read if found != expected] == []


@pytest.mark.parametrize(
    ("line", "subject"),
    [
        ("ERROR posthog answered 503", Subject.POSTHOG),
        ('{"level":"error","msg":"no answer","url":"https://us.i.posthog.com/batch/"}', Subject.POSTHOG),
        ('{"level":"error","logger":"posthog","msg":"no answer"}', Subject.POSTHOG),
        ("ERROR HTTP 503", Subject.UNSAID),
        ("ERROR service=posthog-integration HTTP 503", Subject.UNSAID),  # its own name is no subject
        ('{"level":"error","service":"posthog-integration","msg":"no answer"}', Subject.UNSAID),
        ("ERROR HTTP 503 from https://events.example/batch", Subject.UNCERTAIN),  # may be a proxy
        ('INFO:     10.0.0.1:5 - "POST /orders HTTP/1.1" 503 Service Unavailable', Subject.UNCERTAIN),
        ("ERROR redis: connection refused", Subject.OTHER),
        ("googleapi: Error 403: forbidden", Subject.OTHER),
        ("E0629 08:00:00.385780 1 reflector.go:138] Failed to watch *v1.Pod: unknown", Subject.OTHER),
        ("ERROR cannot write the file", Subject.OTHER),
    ],
)
def test_an_error_is_about_what_it_names(line: str, subject: Subject) -> None:
    """PostHog where it is named, something else where that is, and neither where nothing is said."""
    assert read_line(line).subject is subject


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("INFO retrying after Error 503", True),  # an error with its status
        ("INFO posthog answered 429", True),  # HTTP clients log a refusal as information
        ("INFO answered 404 to a client", False),
        ("WARN posthog rate limited status=429", True),
        ("WARN rate limited status=429", False),  # nobody says by whom
        ("DEBUG on error retry, statuses 429, 503", False),
    ],
)
def test_a_lower_level_is_an_error_where_figures_tell_a_failure(line: str, error: bool) -> None:
    """Words alone do not make an error of a line that says another level; a failed answer does."""
    assert is_error(line) is error
