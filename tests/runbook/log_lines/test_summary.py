"""What the logs as a whole say about PostHog, from the lines to the verdict."""

import pytest

from runbook.checks.log_lines import LogLine, PodLogs, summarise
from runbook.checks.readings import LogReading
from runbook.checks.specs.logs import LOGS, judge_logs
from runbook.decision.decide import decide
from runbook.decision.verdict import Verdict
from runbook.outside_text import MAX_LINE
from tests.runbook.findings_samples import NOW, POLICY, error_rate, triage


def read(*lines: str) -> LogReading:
    """The reading of one pod with these lines."""
    logs = PodLogs(lines=tuple(LogLine("web-1", "app", line) for line in lines), pods_read=("web-1",))
    return summarise(logs, window_seconds=300)


@pytest.mark.parametrize(
    ("line", "by_status", "unplaced", "named"),
    [
        ("ERROR posthog answered 503", {"503": 1}, 0, 0),
        ("ERROR HTTP 503", {"503": 1}, 0, 0),
        ("ERROR posthog: request failed", {}, 1, 1),
        ("ERROR request failed", {}, 1, 0),
        ("ERROR HTTP 503 from https://events.example/batch", {}, 1, 0),
        ('INFO:     10.0.0.1:5 - "POST /orders HTTP/1.1" 503 Service Unavailable', {}, 1, 0),
        ("ERROR redis: connection refused", {}, 0, 0),
        ("googleapi: Error 403: forbidden", {}, 0, 0),
    ],
)
def test_an_error_counts_as_posthogs_only_where_it_can_be(
    line: str, by_status: dict[str, int], unplaced: int, named: int
) -> None:
    """Another system's status is none of PostHog's; what cannot be placed is counted apart."""
    reading = read(line)
    assert len(reading.errors) == 1
    assert (reading.errors_by_status, reading.unplaced_errors, reading.posthog_errors_without_status) == (
        by_status,
        unplaced,
        named,
    )


@pytest.mark.parametrize(
    ("line", "rate", "verdict"),
    [
        ("HTTP Error 429:", {}, Verdict.INTEGRATION_ISSUE),
        ("HTTP Error 429:", None, Verdict.INTEGRATION_ISSUE),
        ("\x1b[31mERROR\x1b[0m status=\x1b[31m401\x1b[0m", {}, Verdict.INTEGRATION_ISSUE),
        ("ERROR posthog: EOF occurred in violation of protocol", {}, Verdict.UNKNOWN),
        ("ERROR SSL certificate problem", None, Verdict.UNKNOWN),
        ("ERROR SSL certificate problem", {}, Verdict.RESOLVED_OR_INTERMITTENT),
        ("ERROR redis: connection refused", None, Verdict.RESOLVED_OR_INTERMITTENT),
        ("level=info error_rate=0.0 errored=false", None, Verdict.RESOLVED_OR_INTERMITTENT),
    ],
)
def test_ten_lines_lead_to_a_verdict(line: str, rate: dict[str, float] | None, verdict: Verdict) -> None:
    """Errors of PostHog are seen where their status is read, and never taken for none where it is not."""
    finding = judge_logs(read(*[line] * 10), policy=POLICY, now=NOW)
    decision = decide(triage(error_rate(rate), finding), claimed=None, policy=POLICY)
    assert decision.verdict is verdict, finding.facts
    assert bool(decision.plan) is (verdict is Verdict.INTEGRATION_ISSUE)


def test_a_line_of_a_megabyte_is_bounded_in_what_the_journal_keeps() -> None:
    """It is masked before it is cut, so that no half of a key is left at its end."""
    key = "phx_" + "a1B2c3D4e5F6" * 4
    before_the_cut = "y " * (MAX_LINE // 2 - 12)
    megabyte = "ERROR posthog answered 503" + " for the batch" * 75_000
    long = read(megabyte, f"ERROR {before_the_cut}{key} more")
    finding = judge_logs(long, policy=POLICY, now=NOW)
    kept = finding.model_dump_json()
    assert finding.facts_of(LOGS).errors_by_status == {"503": 1}
    assert len(kept) < 10 * MAX_LINE
    assert key[:12] not in kept
