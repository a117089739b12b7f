"""Lines that belong together are one event, and one error at most."""

import itertools
from typing import Any

import pytest

from runbook.checks.log_lines import LogLine, PodLogs, summarise
from runbook.checks.log_lines.events import events_of, read_event
from runbook.checks.log_lines.forms.records import without_record
from tests.runbook.log_lines.recorded import recorded

EVENTS = recorded("events.json")


def log(lines: list[str], pod: str = "web-1") -> list[LogLine]:
    """The lines of one container."""
    return [LogLine(pod, "app", line) for line in lines]


@pytest.mark.parametrize("case", EVENTS, ids=[case["name"] for case in EVENTS])
def test_a_stack_belongs_to_its_event(case: dict[str, Any]) -> None:
    """A stack trace counts with the line that logged it, and its exceptions tell the status."""
    events = events_of(log(case["lines"]))
    errors = [reading for event in events if (reading := read_event(event)).error]

    assert (len(events), len(errors)) == (case["events"], case["errors"])
    assert [error.status for error in errors[:1]] == [case["status"]] * min(1, case["errors"])


def test_events_of_several_pods_do_not_mix() -> None:
    """Lines that stand between each other in time are followed for each container by itself."""
    stacks = [case for case in EVENTS if case["errors"] == 1]
    logs = [log(case["lines"], pod=f"web-{number}") for number, case in enumerate(stacks)]
    mixed = [line for row in itertools.zip_longest(*logs) for line in row if line is not None]

    events = events_of(mixed)

    assert sum(read_event(event).error for event in events) == len(stacks)
    assert sorted(line for event in events for line in event.lines) == sorted(
        without_record(line.text) for line in mixed
    )


def test_a_traceback_of_thirty_lines_is_one_error() -> None:
    """The reading counts errors, and shows of each what it comes to."""
    frames = [f'  File "/app/step_{number}.py", line 401, in run' for number in range(28)]
    lines = ["Traceback (most recent call last):", *frames, "posthog.APIError: [PostHog] Unauthorized (401)"]

    reading = summarise(PodLogs(lines=tuple(log(lines)), pods_read=("web-1",)), window_seconds=300)

    assert (reading.lines_read, len(reading.errors), reading.errors_by_status) == (30, 1, {"401": 1})
    assert reading.errors[0].text == (
        "Traceback (most recent call last): … posthog.APIError: [PostHog] Unauthorized (401)"
    )
