"""Does the PostHog API accept our key?"""

from datetime import datetime

from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import ProbeReading, ProbeResult
from runbook.checks.spec import CheckName, CheckSpec, WitnessFacts
from runbook.decision.leaves import Verdict
from runbook.outside_text import OutsideLine


class ProbeFacts(WitnessFacts):
    """What became of the request, and whose key it was made with. Never the key."""

    outcome: ProbeResult | None = None
    http_status: int | None = None
    retry_after_seconds: int | None = None
    key_source: OutsideLine | None = None
    latency_seconds: float | None = None


def judge_probe(reading: ProbeReading, *, now: datetime) -> Finding:
    """One authenticated request to PostHog. No answer proves nothing: the fault may be our own network."""
    answer = f"HTTP {reading.http_status}" if reading.http_status else "no answer"
    match reading.outcome:
        case ProbeResult.ACCEPTED:
            status, summary = Status.OK, f"accepts our key ({answer})"
        case ProbeResult.UNREACHABLE:
            status, summary = Status.UNKNOWN, f"cannot be reached from here: {reading.detail or answer}"
        case _:
            status = Status.BAD
            summary = f"{reading.outcome.replace('_', ' ')} ({answer})"
            summary += f": {reading.detail}" if reading.detail else ""
    return Finding(
        check=PROBE.name,
        status=status,
        summary=summary,
        facts=RecordedFacts.of(
            ProbeFacts(
                outcome=reading.outcome,
                http_status=reading.http_status,
                retry_after_seconds=reading.retry_after_seconds,
                key_source=reading.key_source,
                latency_seconds=reading.seconds,
                posthog_errors=None if status is Status.UNKNOWN else status is Status.BAD,
            )
        ),
        source=reading.host,
        observed_at=now,
    )


PROBE = CheckSpec[ProbeFacts, ProbeReading](
    name=CheckName("probe"),
    title="Probe",
    order=50,
    question="Does the PostHog API accept our key?",
    hope="the PostHog API accepts our key",
    asked="Kubernetes, for the key, or PostHog",
    facts=ProbeFacts,
    judge=lambda reading, _, now: judge_probe(reading, now=now),
    lasting=frozenset(Verdict) - {Verdict.INFRASTRUCTURE_ISSUE},
)
