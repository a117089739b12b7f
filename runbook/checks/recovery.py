"""When an action has worked, and when an incident is over. Missing facts are never a recovery."""

from runbook.actions.spec import Proof
from runbook.checks.findings import Check, Finding, Findings, Status
from runbook.decision.error_types import error_type_of
from runbook.decision.verdict import Decision, ErrorType, Verdict
from runbook.outside_text import OutsideText
from runbook.policy.policy import Policy
from runbook.value import Value

LASTING = {
    Verdict.POSTHOG_OUTAGE: (Check.STATUS_PAGE, Check.ERROR_RATE, Check.PROBE, Check.HEALTH),
    Verdict.INTEGRATION_ISSUE: (Check.ERROR_RATE, Check.PROBE, Check.HEALTH),
    Verdict.INFRASTRUCTURE_ISSUE: (Check.ERROR_RATE, Check.HEALTH, Check.WORKLOAD),
    Verdict.RESOLVED_OR_INTERMITTENT: (Check.ERROR_RATE, Check.PROBE, Check.HEALTH),
    Verdict.UNKNOWN: tuple(Check),
}
"""The checks that must be ok, for the settling time, for an incident to be over."""

NO_REQUESTS = "error rate: no request was made within its window, so that it shows nothing"


class Recovery(Value):
    """Whether all is well: yes, no, or `None` where it cannot be known, with the facts."""

    recovered: bool | None
    because: tuple[OutsideText, ...]


def action_succeeded(proof: Proof, findings: Findings, *, policy: Policy) -> Recovery:
    """Whether what proves an action holds now. Where nothing was requested, nothing could fail: unknown."""
    if proof.errors_like:
        recovery = _no_more(error_type_of(proof.errors_like), findings, policy)
    else:
        recovery = _all_ok(findings, proof.checks)
    idle = Check.ERROR_RATE in proof.checks and findings.fact(Check.ERROR_RATE, "requests_per_second") == 0
    if recovery.recovered and idle and not proof.holds_requests_back:
        return Recovery(recovered=None, because=(NO_REQUESTS,))
    return recovery


def incident_over(decision: Decision, findings: Findings) -> Recovery:
    """Whether the incident's cause is gone, as far as the checks of its verdict can tell."""
    return _all_ok(findings, LASTING[decision.verdict])


def _all_ok(findings: Findings, checks: tuple[Check, ...]) -> Recovery:
    made = [item for item in findings.items if item.check in checks]
    bad = [item for item in made if item.status is Status.BAD]
    unknown = [item for item in made if item.status is Status.UNKNOWN]
    if bad:
        return Recovery(recovered=False, because=_say(bad))
    if unknown or len(made) < len(checks):
        return Recovery(recovered=None, because=_say(unknown) or ("a check was not made",))
    return Recovery(recovered=True, because=_say(made))


def _no_more(kind: ErrorType, findings: Findings, policy: Policy) -> Recovery:
    """Whether the errors of one type are under the threshold; others may go on and have their own action."""
    by_status = findings.fact(Check.ERROR_RATE, "errors_by_status")
    if not isinstance(by_status, dict) or findings.fact(Check.ERROR_RATE, "complete") is False:
        asked = [item for item in findings.items if item.check is Check.ERROR_RATE]
        return Recovery(recovered=None, because=_say(asked) or ("a check was not made",))
    rate = sum(
        value
        for status, value in by_status.items()
        if isinstance(value, int | float) and error_type_of(status) is kind
    )
    words = f"{kind.heading.lower()}: {rate:.2f} errors/s, threshold {policy.error_rate_threshold}"
    return Recovery(recovered=rate <= policy.error_rate_threshold, because=(words,))


def _say(findings: list[Finding]) -> tuple[str, ...]:
    return tuple(f"{item.check.replace('_', ' ')}: {item.summary}" for item in findings)
