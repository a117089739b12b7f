"""Do the recent logs report errors?"""

from datetime import datetime
from typing import TYPE_CHECKING

from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import LogReading
from runbook.checks.spec import CheckName, CheckSpec, WitnessFacts
from runbook.outside_text import OutsideLine, OutsideName, OutsideText

if TYPE_CHECKING:  # it names checks itself
    from runbook.policy.policy import Policy


class LogsFacts(WitnessFacts):
    """Counts of error lines within the window, and the newest of the lines.

    `unplaced_errors` may be PostHog's, but do not say so or not with which status. `pods_unread` says why.
    `posthog_suspected`: enough lines name PostHog, without a status.
    """

    error_lines: int | None = None
    errors_by_status: dict[OutsideName, int] | None = None
    unplaced_errors: int | None = None
    lines_read: int | None = None
    pods_read: tuple[OutsideName, ...] = ()
    pods_unread: dict[OutsideName, OutsideLine] | None = None
    window_seconds: float | None = None
    sample: tuple[OutsideText, ...] = ()
    posthog_suspected: bool | None = None

    def supposing(self, errors: bool | None) -> "LogsFacts":
        """The same facts where it had seen that instead, and so suspects nothing."""
        return self.model_copy(update={"posthog_errors": errors, "posthog_suspected": None})


def judge_logs(reading: LogReading, *, policy: "Policy", now: datetime) -> Finding:
    """Error lines of all pods. Unread pods leave the answer open unless errors were found already.

    Whether they are PostHog's is open too where enough errors may be, without a status that says so. Errors
    that name PostHog make it suspected: then low figures elsewhere are no proof that it answers well.
    """
    errors = len(reading.errors)
    partial = bool(reading.pods_unread) or not reading.pods_read
    known, threshold = sum(reading.errors_by_status.values()), policy.log_error_threshold
    seen = known >= threshold
    open_ = partial or known + reading.unplaced_errors >= threshold
    if errors >= threshold:
        status = Status.BAD
    elif partial:
        status = Status.UNKNOWN
    else:
        status = Status.OK
    told = [f"{code}: {count}" for code, count in sorted(reading.errors_by_status.items())]
    if reading.unplaced_errors:
        told.append(f"perhaps of PostHog: {reading.unplaced_errors}")
    summary = f"{errors} error lines of {reading.lines_read} in {len(reading.pods_read)} pods"
    summary += f" ({', '.join(told)})" if told else ""
    if reading.pods_unread:
        summary += "; not read: " + ", ".join(f"{pod} ({why})" for pod, why in reading.pods_unread.items())
    return Finding(
        check=LOGS.name,
        status=status,
        summary=summary,
        facts=RecordedFacts.of(
            LogsFacts(
                error_lines=errors,
                errors_by_status=reading.errors_by_status,
                unplaced_errors=reading.unplaced_errors,
                lines_read=reading.lines_read,
                pods_read=reading.pods_read,
                pods_unread=reading.pods_unread,
                window_seconds=reading.window_seconds,
                sample=tuple(f"{line.pod}: {line.text}" for line in reading.errors[-20:]),
                posthog_errors=seen or (None if open_ else False),
                posthog_suspected=not seen and known + reading.posthog_errors_without_status >= threshold,
            )
        ),
        source="pod logs",
        observed_at=now,
    )


LOGS = CheckSpec[LogsFacts, LogReading](
    name=CheckName("logs"),
    title="Logs",
    order=40,
    question="Do the recent logs report errors?",
    hope="the recent logs report no errors",
    asked="Kubernetes",
    facts=LogsFacts,
    judge=lambda reading, policy, now: judge_logs(reading, policy=policy, now=now),
)
