"""Quick Triage: how each reading is judged. One pure function per check, each yielding a finding.

The fact `posthog_errors` says whether the check saw PostHog answering our requests with errors
(`None` where it could not tell); the decision tree's first question is asked of it.
"""

from datetime import datetime

from pydantic import JsonValue

from runbook.checks.findings import Check, Finding, Status
from runbook.checks.health import Health, health_of, says_well
from runbook.checks.readings import (
    ErrorRateReading,
    HealthReading,
    Impact,
    ListedIncident,
    LogReading,
    ProbeOutcome,
    ProbeReading,
    StatusPageReading,
)
from runbook.checks.status_page_words import names_region
from runbook.policy.policy import Policy

IMPACTS = tuple(Impact)


def judge_status_page(reading: StatusPageReading, *, regions: tuple[str, ...], now: datetime) -> Finding:
    """An incident counts when it affects everyone or a region that we use; maintenance is only noted.

    Where nothing counts, but something of ours is told in words that nobody knows, the answer is unknown.
    """
    relevant = [incident for incident in reading.incidents if _concerns(incident, regions)]
    unclear = [item for item in reading.unclear if _concerns(item, regions)]
    worst = max((incident.impact for incident in relevant), key=IMPACTS.index, default=Impact.NONE)
    others = len(reading.incidents) - len(relevant)
    if relevant:
        status, summary = Status.BAD, _listed(relevant)
    elif unclear:
        status, summary = Status.UNKNOWN, "not clear: " + "; ".join(item.name for item in unclear)
    elif others:
        status, summary = Status.OK, f"nothing listed for our regions ({others} elsewhere)"
    else:
        status, summary = Status.OK, "no incident listed"
    if reading.maintenances:
        summary += f"; maintenance: {', '.join(item.name for item in reading.maintenances)}"
    facts: dict[str, JsonValue] = {
        "incidents": [incident.model_dump(mode="json") for incident in relevant],
        "worst_impact": worst.value,
        "elsewhere": others,
        "maintenances": [item.name for item in reading.maintenances],
        "unclear": [item.name for item in unclear],
        "route": reading.route,
        "format": reading.format,
    }
    return Finding(
        check=Check.STATUS_PAGE,
        status=status,
        summary=summary,
        facts=facts,
        source=reading.page_url,
        observed_at=now,
    )


def _listed(incidents: list[ListedIncident]) -> str:
    return "; ".join(f"{incident.name} ({incident.impact}, {incident.status})" for incident in incidents)


def _concerns(incident: ListedIncident, regions: tuple[str, ...]) -> bool:
    if not regions or not incident.regions:
        return True
    return any(names_region(listed, wanted) for listed in incident.regions for wanted in regions)


def judge_health(reading: HealthReading, *, policy: Policy, now: datetime) -> Finding:
    """The integration's own word; without a known one it is unknown, unless the server itself failed."""
    health = health_of(reading.status, healthy_words=policy.healthy_words)
    answered = f"HTTP {reading.http_status}"
    if says_well(reading.status, reading.http_status, healthy_words=policy.healthy_words):
        status, summary = Status.OK, f"says {reading.status}"
    elif health is not Health.UNKNOWN:
        status, summary = Status.BAD, f"says {reading.status} ({answered})"
    elif reading.http_status >= 500:
        status, summary = Status.BAD, f"answers {answered}"
        summary += f" and says {reading.status}" if reading.status else ""
    elif reading.status:
        status, summary = Status.UNKNOWN, f"says {reading.status} ({answered}), which tells nothing"
    else:
        status, summary = Status.UNKNOWN, f"{answered} without a PostHog status"
    return Finding(
        check=Check.HEALTH,
        status=status,
        summary=f"{summary}: {reading.detail}" if reading.detail else summary,
        facts={"http_status": reading.http_status, "status": reading.status, "health": health.value},
        source=reading.url,
        observed_at=now,
    )


def judge_error_rate(reading: ErrorRateReading, *, policy: Policy, now: datetime) -> Finding:
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
            summary += "; errors were counted before the first sample, and when is not known"
        elif not complete:
            summary += "; other rates are not numbers"
    return Finding(
        check=Check.ERROR_RATE,
        status=status,
        summary=summary,
        facts={
            "errors_by_status": dict(reading.errors_by_status)
            if reading.errors_by_status is not None
            else None,
            "errors_per_second": rate,
            "requests_per_second": reading.requests_per_second,
            "error_share": reading.error_share,
            "window_seconds": reading.window_seconds,
            "threshold": policy.error_rate_threshold,
            "warnings": list(reading.warnings),
            "complete": complete,
            "posthog_errors": None if status is Status.UNKNOWN else status is Status.BAD,
        },
        source=reading.source,
        observed_at=now,
    )


def _sorted(reading: ErrorRateReading) -> list[tuple[str, float]]:
    return sorted((reading.errors_by_status or {}).items(), key=lambda item: -item[1])


def judge_logs(reading: LogReading, *, policy: Policy, now: datetime) -> Finding:
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
        check=Check.LOGS,
        status=status,
        summary=summary,
        facts={
            "error_lines": errors,
            "errors_by_status": dict(reading.errors_by_status),
            "unplaced_errors": reading.unplaced_errors,
            "lines_read": reading.lines_read,
            "pods_read": list(reading.pods_read),
            "pods_unread": dict(reading.pods_unread),
            "window_seconds": reading.window_seconds,
            "sample": [f"{line.pod}: {line.text}" for line in reading.errors[-20:]],
            "posthog_errors": seen or (None if open_ else False),
            "posthog_suspected": not seen and known + reading.posthog_errors_without_status >= threshold,
        },
        source="pod logs",
        observed_at=now,
    )


def judge_probe(reading: ProbeReading, *, now: datetime) -> Finding:
    """One authenticated request to PostHog. No answer proves nothing: the fault may be our own network."""
    answer = f"HTTP {reading.http_status}" if reading.http_status else "no answer"
    match reading.outcome:
        case ProbeOutcome.ACCEPTED:
            status, summary = Status.OK, f"accepts our key ({answer})"
        case ProbeOutcome.UNREACHABLE:
            status, summary = Status.UNKNOWN, f"cannot be reached from here: {reading.detail or answer}"
        case _:
            status = Status.BAD
            summary = f"{reading.outcome.replace('_', ' ')} ({answer})"
            summary += f": {reading.detail}" if reading.detail else ""
    return Finding(
        check=Check.PROBE,
        status=status,
        summary=summary,
        facts={
            "outcome": reading.outcome.value,
            "http_status": reading.http_status,
            "retry_after_seconds": reading.retry_after_seconds,
            "key_source": reading.key_source,
            "latency_seconds": reading.seconds,
            "posthog_errors": None if status is Status.UNKNOWN else status is Status.BAD,
        },
        source=reading.host,
        observed_at=now,
    )
