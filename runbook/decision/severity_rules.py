"""How severe an incident is, computed from the findings by the definitions of the runbook's table."""

from runbook.checks.findings import Findings, Status
from runbook.checks.readings import Impact, ProbeResult
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.specs.workload import WORKLOAD
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Verdict
from runbook.policy.policy import Policy


def assess_severity(
    findings: Findings, verdict: Verdict, *, claimed: Severity | None, policy: Policy
) -> SeverityAssessment:
    """P1 complete outage, P2 degraded, P3 minor, P4 no user impact, with the fact that decided.

    `claimed` is the alert's own severity. It decides only where the facts do not suffice, and there an
    incident counts at least as degraded: unknown is not healthy.
    """
    complete = _complete_outage(findings, policy)
    if complete:
        return SeverityAssessment(severity=Severity.P1, because=f"complete outage: {complete}")
    if verdict is Verdict.UNKNOWN:
        severity = min(claimed or Severity.P2, Severity.P2, key=lambda level: level.rank)
        return SeverityAssessment(
            severity=severity,
            because="the impact is not known; it counts as degraded until it is",
            claimed=severity is not Severity.P2,
        )
    degraded = _degraded(findings)
    if degraded:
        return SeverityAssessment(severity=Severity.P2, because=f"degraded service: {degraded}")
    minor = _minor(findings)
    if minor:
        return SeverityAssessment(severity=Severity.P3, because=f"minor impact: {minor}")
    gaps = ", ".join(item.check.words for item in findings.unknowns)
    because = f"no user impact seen; monitoring gap: {gaps}" if gaps else "no user impact seen"
    return SeverityAssessment(severity=Severity.P4, because=because)


def _complete_outage(findings: Findings, policy: Policy) -> str | None:
    share = findings.facts(ERROR_RATE).error_share
    failing = findings.status(ERROR_RATE.name) is Status.BAD
    if failing and share is not None and share >= policy.complete_outage_share:
        return f"{share:.0%} of requests to PostHog fail"
    if findings.status(WORKLOAD.name) is Status.BAD and findings.facts(WORKLOAD).ready == 0:
        return "no pod of the integration is ready"
    silent = findings.facts(PROBE).outcome in (ProbeResult.UNREACHABLE, ProbeResult.SERVER_ERROR)
    if silent and findings.facts(STATUS_PAGE).worst_impact is Impact.FULL_OUTAGE:
        return "PostHog is unreachable and its status page lists a full outage"
    return None


def _degraded(findings: Findings) -> str | None:
    for check in (ERROR_RATE.name, HEALTH.name, WORKLOAD.name, PROBE.name):
        if findings.status(check) is Status.BAD:
            return findings[check].summary
    if findings.facts(LOGS).posthog_errors:
        return findings[LOGS.name].summary
    return None


def _minor(findings: Findings) -> str | None:
    errors = findings.facts(ERROR_RATE).errors_per_second
    if errors is not None and errors > 0:
        return f"{errors:.2f} errors/s, under the threshold"
    for check in (STATUS_PAGE.name, LOGS.name):
        if findings.status(check) is Status.BAD:
            return findings[check].summary
    return None
