"""When an action has worked, and when an incident is over. Missing facts are never a recovery."""

from collections.abc import Collection

from runbook.actions.spec import Proof
from runbook.checks.catalogue import CHECKS
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.spec import CheckName
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.decision.error_types import error_type_of
from runbook.decision.verdict import Decision, ErrorType, Verdict
from runbook.outside_text import OutsideText
from runbook.policy.policy import Policy
from runbook.value import Value

LASTING: dict[Verdict, tuple[CheckName, ...]] = {
    verdict: tuple(
        name for name, check in CHECKS.items() if verdict in check.lasting or verdict is Verdict.UNKNOWN
    )
    for verdict in Verdict
}
"""The checks that must be ok, for the settling time, for an incident to be over."""

NO_REQUESTS = "error rate: no request was made within its window, so it proves nothing"


class Recovery(Value):
    """Whether all is well: yes, no, or `None` where it cannot be known, with the facts."""

    recovered: bool | None
    because: tuple[OutsideText, ...]


def action_succeeded(proof: Proof, findings: Findings, *, policy: Policy) -> Recovery:
    """Whether what proves an action holds now. Where nothing was requested, nothing could fail: unknown."""
    if proof.errors_like:
        recovery = _no_more(error_type_of(proof.errors_like), findings, policy)
    else:
        recovery = _all_ok(findings, proof.names)
    idle = ERROR_RATE.name in proof.names and findings.facts(ERROR_RATE).requests_per_second == 0
    if recovery.recovered and idle and not proof.holds_requests_back:
        return Recovery(recovered=None, because=(NO_REQUESTS,))
    return recovery


def lasting(verdict: Verdict, *, among: Collection[CheckName]) -> tuple[CheckName, ...]:
    """Those of the checks of an environment that must be ok for an incident to be over."""
    return tuple(check for check in LASTING[verdict] if check in among)


def incident_over(
    decision: Decision, findings: Findings, *, among: Collection[CheckName] = tuple(CHECKS)
) -> Recovery:
    """Whether the incident's cause is gone, as far as the checks of its verdict can tell.

    `among` are the checks that the environment makes.
    """
    return _all_ok(findings, lasting(decision.verdict, among=among))


def _all_ok(findings: Findings, checks: tuple[CheckName, ...]) -> Recovery:
    made = [item for item in findings.items if item.check in checks]
    bad = [item for item in made if item.status is Status.BAD]
    unknown = [item for item in made if item.status is Status.UNKNOWN]
    if bad:
        return Recovery(recovered=False, because=_say(bad))
    if unknown or len(made) < len(checks):
        return Recovery(recovered=None, because=_say(unknown) or ("a check did not run",))
    return Recovery(recovered=True, because=_say(made))


def _no_more(kind: ErrorType, findings: Findings, policy: Policy) -> Recovery:
    """Whether the errors of one type are under the threshold; others may go on and have their own action."""
    facts = findings.facts(ERROR_RATE)
    if facts.errors_by_status is None or facts.complete is False:
        asked = [item for item in findings.items if item.check == ERROR_RATE.name]
        return Recovery(recovered=None, because=_say(asked) or ("a check did not run",))
    rate = sum(value for status, value in facts.errors_by_status.items() if error_type_of(status) is kind)
    words = f"{kind.heading.lower()}: {rate:.2f} errors/s, threshold {policy.error_rate_threshold}"
    return Recovery(recovered=rate <= policy.error_rate_threshold, because=(words,))


def _say(findings: list[Finding]) -> tuple[str, ...]:
    return tuple(f"{item.check.words}: {item.summary}" for item in findings)
