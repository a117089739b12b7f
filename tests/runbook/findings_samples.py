"""Readings as the outside systems give them and the findings that they make, for tests of the rules.

Each builder describes a system that is well; a test names only what is wrong with it. So a finding in a test
has exactly the facts that triage would have put there.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.readings import (
    ContainerReading,
    ErrorLine,
    ErrorRateReading,
    HealthReading,
    Impact,
    ListedIncident,
    LogReading,
    PodReading,
    ProbeReading,
    ProbeResult,
    Rollout,
    StatusPageReading,
    WorkloadReading,
)
from runbook.checks.spec import CheckName
from runbook.checks.specs.error_rate import ERROR_RATE, judge_error_rate
from runbook.checks.specs.health import HEALTH, judge_health
from runbook.checks.specs.logs import LOGS, judge_logs
from runbook.checks.specs.probe import PROBE, judge_probe
from runbook.checks.specs.status_page import STATUS_PAGE, judge_status_page
from runbook.checks.specs.workload import WORKLOAD, judge_workload
from runbook.policy.policy import Policy

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
POLICY = Policy()
TARGET = "default/deployment/posthog-integration"
EVERYWHERE = tuple(check.name for check in (STATUS_PAGE, HEALTH, ERROR_RATE, LOGS, PROBE, WORKLOAD))
"""The checks that every environment makes."""

WITNESSES = (ERROR_RATE.name, LOGS.name, PROBE.name)


def listed(name: str = "Elevated errors", impact: Impact = Impact.DEGRADED, *regions: str) -> ListedIncident:
    """An incident on a status page."""
    return ListedIncident(id="01", name=name, status="investigating", impact=impact, regions=regions)


def status_page(*incidents: ListedIncident, regions: tuple[str, ...] = (), **fields: Any) -> Finding:
    """The finding of a status page that lists these incidents."""
    reading = StatusPageReading(
        page_url="https://status.example", format="incident_io", route="direct", incidents=incidents, **fields
    )
    return judge_status_page(reading, regions=regions, now=NOW)


def health(status: str | None = "healthy", *, http_status: int = 200) -> Finding:
    """The finding of a health endpoint that says this."""
    reading = HealthReading(url="https://app.example/health", http_status=http_status, status=status)
    return judge_health(reading, policy=POLICY, now=NOW)


def error_rate(
    by_status: dict[str, float] | None, *, requests: float | None = 20.0, complete: bool = True
) -> Finding:
    """The finding of these errors per second among this many requests per second."""
    reading = ErrorRateReading(
        source="https://prometheus.example",
        window_seconds=300,
        errors_by_status=by_status,
        complete=complete,
        requests_per_second=requests,
    )
    return judge_error_rate(reading, policy=POLICY, now=NOW)


def logs(
    by_status: dict[str, int] | None = None,
    *,
    others: int = 0,
    unplaced: int = 0,
    named: int = 0,
    unread: Mapping[str, str] | None = None,
) -> Finding:
    """The finding of one pod's log with these error lines.

    `others` are about something else, `unplaced` may be PostHog's, and `named` name it without a status.
    """
    counts = by_status or {}
    lines = [ErrorLine(pod="web-1", text=f"HTTP {status}", status=status) for status in counts]
    errors = [line for line in lines for _ in range(counts[line.status or ""])]
    errors += [ErrorLine(pod="web-1", text="ERROR cannot write the file")] * others
    errors += [ErrorLine(pod="web-1", text="ERROR request failed")] * unplaced
    errors += [ErrorLine(pod="web-1", text="ERROR posthog: request failed")] * named
    reading = LogReading(
        window_seconds=300,
        lines_read=500,
        errors=tuple(errors),
        errors_by_status=counts,
        unplaced_errors=unplaced + named,
        posthog_errors_without_status=named,
        pods_read=("web-1",),
        pods_unread=dict(unread or {}),
    )
    return judge_logs(reading, policy=POLICY, now=NOW)


def probe(outcome: ProbeResult = ProbeResult.ACCEPTED, key_source: str = "Secret posthog-secrets") -> Finding:
    """The finding of a probe that ended like this, with the stored key unless another source is named."""
    reading = ProbeReading(
        host="us.posthog.example",
        key_source=key_source,
        outcome=outcome,
        http_status=PROBE_STATUSES[outcome],
    )
    return judge_probe(reading, now=NOW)


PROBE_STATUSES: dict[ProbeResult, int | None] = {
    ProbeResult.ACCEPTED: 200,
    ProbeResult.KEY_REJECTED: 401,
    ProbeResult.SCOPE_MISSING: 403,
    ProbeResult.RATE_LIMITED: 429,
    ProbeResult.SERVER_ERROR: 503,
    ProbeResult.UNREACHABLE: None,
}


def pod(name: str = "web-1", **fields: Any) -> PodReading:
    """A pod that runs and is ready; what is said of a container is said of the integration's own."""
    running: dict[str, Any] = {"phase": "Running", "ready": True, "revision": "7"}
    own = {key: fields.pop(key) for key in tuple(fields) if key in ContainerReading.model_fields}
    containers = (ContainerReading(**({"name": "app"} | own)),)
    return PodReading(name=name, **({"containers": containers} | running | fields))


def rollouts(*ages: timedelta) -> tuple[Rollout, ...]:
    """Revisions of these ages, oldest first, the newest being revision 7."""
    first = 8 - len(ages)
    return tuple(
        Rollout(revision=str(number), created_at=NOW - age) for number, age in enumerate(ages, start=first)
    )


def workload(*pods: PodReading, **fields: Any) -> Finding:
    """The finding of a Deployment of two pods."""
    well: dict[str, Any] = {"target": TARGET, "container": "app", "desired": 2, "ready": 2, "updated": 2}
    if limit := fields.pop("memory_limit", None):
        fields["memory_limits"] = {"app": limit}
    reading = WorkloadReading(pods=pods or (pod("web-1"), pod("web-2")), **(well | fields))
    return judge_workload(reading, policy=POLICY, now=NOW)


def gone(check: CheckName, reason: str = "no answer") -> Finding:
    """A check that could not be made."""
    return Finding.unknown(check, reason, observed_at=NOW)


def triage(*changed: Finding) -> Findings:
    """A triage that found all well, but for these."""
    findings = Findings(
        items=(status_page(), health(), error_rate({"200": 0.0}), logs(), probe(), workload())
    )
    for finding in changed:
        findings = findings.replacing(finding)
    return findings


TYPICAL: dict[tuple[CheckName, Status], Finding] = {
    (STATUS_PAGE.name, Status.OK): status_page(),
    (STATUS_PAGE.name, Status.BAD): status_page(listed()),
    (HEALTH.name, Status.OK): health(),
    (HEALTH.name, Status.BAD): health("degraded"),
    (ERROR_RATE.name, Status.OK): error_rate({}),
    (ERROR_RATE.name, Status.BAD): error_rate({"503": 4.0}),
    (LOGS.name, Status.OK): logs(),
    (LOGS.name, Status.BAD): logs({"503": 9}),
    (PROBE.name, Status.OK): probe(),
    (PROBE.name, Status.BAD): probe(ProbeResult.SERVER_ERROR),
    (WORKLOAD.name, Status.OK): workload(),
    (WORKLOAD.name, Status.BAD): workload(pod(ready=False, waiting="CrashLoopBackOff"), ready=1),
} | {(check, Status.UNKNOWN): gone(check) for check in EVERYWHERE}
"""A finding of each check for each status that it can have."""


def every_combination() -> Iterator[Findings]:
    """All 729 ways in which the six checks can answer."""
    for statuses in product(Status, repeat=len(EVERYWHERE)):
        pairs = zip(EVERYWHERE, statuses, strict=True)
        yield Findings(items=tuple(TYPICAL[check, status] for check, status in pairs))


def told(findings: Findings) -> str:
    """The statuses in one line, to say which combination a failed test was about."""
    return " ".join(f"{item.check}={item.status}" for item in findings.items)
