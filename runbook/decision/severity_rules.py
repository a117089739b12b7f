"""How severe an incident is, computed from the findings by the definitions of the runbook's table."""

from runbook.checks.findings import Check, Findings, Status
from runbook.checks.readings import Impact
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
    gaps = ", ".join(item.check.replace("_", " ") for item in findings.unknowns)
    because = f"no user impact seen; monitoring gap: {gaps}" if gaps else "no user impact seen"
    return SeverityAssessment(severity=Severity.P4, because=because)


def _complete_outage(findings: Findings, policy: Policy) -> str | None:
    share = findings.fact(Check.ERROR_RATE, "error_share")
    if (
        findings.status(Check.ERROR_RATE) is Status.BAD
        and isinstance(share, float | int)
        and share >= policy.complete_outage_share
    ):
        return f"{share:.0%} of requests to PostHog fail"
    if findings.status(Check.WORKLOAD) is Status.BAD and findings.fact(Check.WORKLOAD, "ready") == 0:
        return "no pod of the integration is ready"
    silent = findings.fact(Check.PROBE, "outcome") in ("unreachable", "server_error")
    if silent and findings.fact(Check.STATUS_PAGE, "worst_impact") == Impact.FULL_OUTAGE:
        return "PostHog is unreachable and its status page lists a full outage"
    return None


def _degraded(findings: Findings) -> str | None:
    for check in (Check.ERROR_RATE, Check.HEALTH, Check.WORKLOAD, Check.PROBE):
        if findings.status(check) is Status.BAD:
            return findings[check].summary
    if findings.fact(Check.LOGS, "posthog_errors"):
        return findings[Check.LOGS].summary
    return None


def _minor(findings: Findings) -> str | None:
    errors = findings.fact(Check.ERROR_RATE, "errors_per_second")
    if isinstance(errors, float | int) and errors > 0:
        return f"{errors:.2f} errors/s, under the threshold"
    for check in (Check.STATUS_PAGE, Check.LOGS):
        if findings.status(check) is Status.BAD:
            return findings[check].summary
    return None
