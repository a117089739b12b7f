"""The decision: findings in, an explained decision out."""

from collections.abc import Sequence

from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Findings, Status
from runbook.decision.error_types import error_mix
from runbook.decision.plan import make_plan
from runbook.decision.severity import Severity
from runbook.decision.severity_rules import assess_severity
from runbook.decision.tree import WITNESSES, walk
from runbook.decision.verdict import Counterfactual, Decision, ErrorType, Verdict
from runbook.policy.policy import Policy

WITH_ERRORS = (Verdict.POSTHOG_OUTAGE, Verdict.INTEGRATION_ISSUE, Verdict.UNKNOWN)
"""Verdicts under which the errors that were seen are named."""

ALTERNATIVES = {
    Status.OK: "reported ok",
    Status.BAD: "reported a problem",
    Status.UNKNOWN: "gave no answer",
}


def decide(findings: Findings, *, claimed: Severity | None, policy: Policy) -> Decision:
    """Walk the tree, name the error type, assess the severity and plan the actions.

    `claimed` is the alert's own severity. The same findings always give the same decision.
    """
    path, verdict = walk(findings)
    mix = error_mix(findings) if verdict in WITH_ERRORS else {}
    return Decision(
        verdict=verdict,
        error_type=_error_type(verdict, mix),
        mix=mix,
        path=path,
        severity=assess_severity(findings, verdict, claimed=claimed, policy=policy),
        plan=make_plan(verdict, mix, findings, policy),
        would_flip=counterfactuals(findings, verdict),
    )


def following(decision: Decision, earlier: Sequence[Decision]) -> Decision:
    """A decision that is taken anew, after others: its actions are numbered on, so that each id is unique.

    The severity never falls: what people had to bear until then has happened.
    """
    taken = sum(len(item.plan) for item in earlier)
    severities = [*(item.severity for item in earlier), decision.severity]
    worst = min(severities, key=lambda item: item.severity.rank)
    same = decision.severity.severity is worst.severity
    return decision.model_copy(
        update={
            "plan": tuple(
                action.model_copy(update={"id": f"{number}-{action.name.slug}"})
                for number, action in enumerate(decision.plan, start=taken + 1)
            ),
            "severity": decision.severity if same else worst,
        }
    )


def _error_type(verdict: Verdict, mix: dict[ErrorType, float]) -> ErrorType:
    match verdict:
        case Verdict.INFRASTRUCTURE_ISSUE:
            return ErrorType.INFRASTRUCTURE
        case Verdict.RESOLVED_OR_INTERMITTENT:
            return ErrorType.NONE
        case _:
            return next(iter(mix), ErrorType.UNKNOWN)


def counterfactuals(findings: Findings, verdict: Verdict) -> tuple[Counterfactual, ...]:
    """Every single check whose other answer would lead to another verdict."""
    flips = []
    for finding in findings.items:
        for status, words in ALTERNATIVES.items():
            if status is finding.status:
                continue
            _, other = walk(findings.replacing(_supposing(finding, status)))
            if other is not verdict:
                check = finding.check.words
                flips.append(Counterfactual(change=f"if the {check} check {words}", verdict=other))
    return tuple(flips)


def _supposing(finding: Finding, status: Status) -> Finding:
    witness = WITNESSES.get(finding.check)
    if witness is None:
        return finding.model_copy(update={"status": status})
    errors = None if status is Status.UNKNOWN else status is Status.BAD
    facts = RecordedFacts.of(finding.facts_of(witness).supposing(errors))
    return finding.model_copy(update={"status": status, "facts": facts})
