"""Is the error rate under its threshold?"""

from datetime import datetime
from typing import TYPE_CHECKING

from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import ErrorRateReading
from runbook.checks.spec import CheckName, CheckSpec, WitnessFacts
from runbook.decision.leaves import Verdict
from runbook.outside_text import OutsideLine, OutsideName

if TYPE_CHECKING:  # it names checks itself
    from runbook.policy.policy import Policy


class ErrorRateFacts(WitnessFacts):
    """Rates per second over the window, `None` without data, and the threshold that they were judged by.

    `error_share` is errors over requests, 0 to 1. With `complete` false there may be more errors.
    """

    errors_by_status: dict[OutsideName, float] | None = None
    errors_per_second: float | None = None
    requests_per_second: float | None = None
    error_share: float | None = None
    window_seconds: float | None = None
    threshold: float | None = None
    warnings: tuple[OutsideLine, ...] = ()
    complete: bool | None = None


def judge_error_rate(reading: ErrorRateReading, *, policy: "Policy", now: datetime) -> Finding:
    """The runbook's `rate(posthog_errors_total[5m])` by HTTP status. No data is unknown, never zero."""
    rate, complete = reading.errors_per_second, reading.complete
    if rate is None:
        status, summary = Status.UNKNOWN, "no data: the metric has no samples in the window"
    else:
        undated = rate <= policy.error_rate_threshold < rate + reading.undated_errors_per_second
        complete = complete and not undated
        by_status = ", ".join(f"{code}: {value:.2f}/s" for code, value in _sorted(reading) if value > 0)
        if rate > policy.error_rate_threshold:
            status = Status.BAD
        else:
            status = Status.OK if complete else Status.UNKNOWN
        share = f" ({reading.error_share:.0%} of requests)" if reading.error_share is not None else ""
        summary = f"{rate:.2f} errors/s{share}" + (f"; {by_status}" if by_status else "")
        if reading.partial:
            summary += f"; the answer is partial ({reading.warnings[0]})"
        elif undated:
            summary += "; errors were counted before the first sample, at an unknown time"
        elif not complete:
            summary += "; other rates are not numbers"
    return Finding(
        check=ERROR_RATE.name,
        status=status,
        summary=summary,
        facts=RecordedFacts.of(
            ErrorRateFacts(
                errors_by_status=reading.errors_by_status,
                errors_per_second=rate,
                requests_per_second=reading.requests_per_second,
                error_share=reading.error_share,
                window_seconds=reading.window_seconds,
                threshold=policy.error_rate_threshold,
                warnings=reading.warnings,
                complete=complete,
                posthog_errors=None if status is Status.UNKNOWN else status is Status.BAD,
            )
        ),
        source=reading.source,
        observed_at=now,
    )


def _sorted(reading: ErrorRateReading) -> list[tuple[str, float]]:
    return sorted((reading.errors_by_status or {}).items(), key=lambda item: -item[1])


ERROR_RATE = CheckSpec[ErrorRateFacts, ErrorRateReading](
    name=CheckName("error_rate"),
    title="Error rate",
    order=30,
    question="Is the error rate under its threshold?",
    hope="the error rate is under its threshold",
    asked="Prometheus",
    facts=ErrorRateFacts,
    judge=lambda reading, policy, now: judge_error_rate(reading, policy=policy, now=now),
    lasting=frozenset(Verdict),
)
