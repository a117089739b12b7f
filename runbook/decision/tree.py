"""The runbook's decision tree, question by question.

    PostHog API returning errors?
    ├─ YES: Is status.posthog.com showing incident?
    │   ├─ YES → Wait for PostHog to resolve. Enable fallback.
    │   └─ NO → Our integration issue. Check credentials, config.
    └─ NO: Is our service healthy?
        ├─ YES → Likely resolved or intermittent. Monitor.
        └─ NO → Our infrastructure issue. Check pods, memory, network.

Extended by a third answer: where the facts do not suffice, the walk ends with verdict `unknown`.
"""

from collections.abc import Mapping
from typing import Any

from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.spec import CheckName, CheckSpec, WitnessFacts
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.specs.workload import WORKLOAD
from runbook.decision.verdict import Branch, Question, Reply, Verdict

WITNESSES: Mapping[CheckName, CheckSpec[WitnessFacts, Any]] = {
    check.name: check for check in (ERROR_RATE, LOGS, PROBE)
}
"""The checks that can see PostHog returning errors."""

NEXT: dict[tuple[Question, Reply], Question | Verdict] = {
    (Question.POSTHOG_RETURNING_ERRORS, Reply.YES): Question.STATUS_PAGE_INCIDENT,
    (Question.POSTHOG_RETURNING_ERRORS, Reply.NO): Question.SERVICE_HEALTHY,
    (Question.STATUS_PAGE_INCIDENT, Reply.YES): Verdict.POSTHOG_OUTAGE,
    (Question.STATUS_PAGE_INCIDENT, Reply.NO): Verdict.INTEGRATION_ISSUE,
    (Question.SERVICE_HEALTHY, Reply.YES): Verdict.RESOLVED_OR_INTERMITTENT,
    (Question.SERVICE_HEALTHY, Reply.NO): Verdict.INFRASTRUCTURE_ISSUE,
}
"""Where each answer leads; an unknown answer always leads to `Verdict.UNKNOWN`."""


def walk(findings: Findings) -> tuple[tuple[Branch, ...], Verdict]:
    """Walk the tree; returns the branches taken and the leaf."""
    path: list[Branch] = []
    step: Question | Verdict = Question.POSTHOG_RETURNING_ERRORS
    while isinstance(step, Question):
        branch = ASK[step](findings)
        path.append(branch)
        step = NEXT.get((branch.question, branch.reply), Verdict.UNKNOWN)
    return tuple(path), step


def posthog_returning_errors(findings: Findings) -> Branch:
    """One witness of errors is enough for yes.

    No needs the probe to be accepted and the error rate to be low; where the error rate is unknown, logs
    that were read completely stand in for it. Logs with errors that name PostHog, and do not say which, take
    the no back. Everything else is unknown.
    """
    seen = [item for check in WITNESSES.values() if (item := _witness(findings, check, errors=True))]
    clear = [item for check in WITNESSES.values() if (item := _witness(findings, check, errors=False))]
    clear_checks = {item.check for item in clear}
    if seen:
        return _branch(Question.POSTHOG_RETURNING_ERRORS, Reply.YES, seen)
    if findings.facts(LOGS).posthog_suspected:
        return _branch(Question.POSTHOG_RETURNING_ERRORS, Reply.UNKNOWN, _made(findings, LOGS.name))
    if PROBE.name in clear_checks and clear_checks & {ERROR_RATE.name, LOGS.name}:
        return _branch(Question.POSTHOG_RETURNING_ERRORS, Reply.NO, clear)
    missing = [item for item in findings.items if item.check in WITNESSES and item.check not in clear_checks]
    return _branch(Question.POSTHOG_RETURNING_ERRORS, Reply.UNKNOWN, missing)


def _witness(findings: Findings, check: CheckSpec[WitnessFacts, Any], *, errors: bool) -> Finding | None:
    return findings[check.name] if findings.facts(check).posthog_errors is errors else None


def status_page_incident(findings: Findings) -> Branch:
    """Only the status page can answer."""
    replies = {Status.BAD: Reply.YES, Status.OK: Reply.NO, Status.UNKNOWN: Reply.UNKNOWN}
    reply = replies[findings.status(STATUS_PAGE.name)]
    return _branch(Question.STATUS_PAGE_INCIDENT, reply, _made(findings, STATUS_PAGE.name))


def service_healthy(findings: Findings) -> Branch:
    """Health endpoint and workload must both be well for yes; one of them bad is a no."""
    checks = (HEALTH.name, WORKLOAD.name)
    statuses = {check: findings.status(check) for check in checks}
    bad = [check for check, status in statuses.items() if status is Status.BAD]
    open_ = [check for check, status in statuses.items() if status is Status.UNKNOWN]
    if bad:
        return _branch(Question.SERVICE_HEALTHY, Reply.NO, _made(findings, *bad))
    if open_:
        return _branch(Question.SERVICE_HEALTHY, Reply.UNKNOWN, _made(findings, *open_))
    return _branch(Question.SERVICE_HEALTHY, Reply.YES, _made(findings, *checks))


ASK = {
    Question.POSTHOG_RETURNING_ERRORS: posthog_returning_errors,
    Question.STATUS_PAGE_INCIDENT: status_page_incident,
    Question.SERVICE_HEALTHY: service_healthy,
}


def _made(findings: Findings, *checks: CheckName) -> list[Finding]:
    return [item for item in findings.items if item.check in checks]


def _branch(question: Question, reply: Reply, facts: list[Finding]) -> Branch:
    because = tuple(f"{item.check.words}: {item.summary}" for item in facts)
    return Branch(question=question, reply=reply, because=because or ("nothing was observed",))
