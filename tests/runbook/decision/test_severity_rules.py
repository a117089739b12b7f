"""The severity follows from the findings, by the definitions of the runbook's table."""

import pytest

from runbook.checks.findings import Finding, Findings
from runbook.checks.readings import Impact, ProbeResult
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.severity_rules import assess_severity
from runbook.decision.tree import walk
from runbook.decision.verdict import Verdict
from runbook.policy.policy import Policy
from tests.runbook.findings_samples import (
    POLICY,
    error_rate,
    every_combination,
    gone,
    health,
    listed,
    logs,
    pod,
    probe,
    status_page,
    told,
    triage,
    workload,
)

P1, P2, P3, P4 = Severity
GAP = "no user impact seen; monitoring gap"
FULL_OUTAGE = status_page(listed("All down", Impact.FULL_OUTAGE))


def assessed(
    findings: Findings, *, claimed: Severity | None = None, policy: Policy = POLICY
) -> SeverityAssessment:
    """The severity of what the tree makes of these findings."""
    return assess_severity(findings, walk(findings)[1], claimed=claimed, policy=policy)


@pytest.mark.parametrize(
    ("found", "severity", "because"),
    [
        # P1: complete outage
        ((error_rate({"503": 18.0}),), P1, "complete outage: 90% of requests to PostHog fail"),
        ((error_rate({"503": 17.99}),), P2, "degraded service: 17.99 errors/s"),
        ((error_rate({"503": 20.0}),), P1, "complete outage: 100% of requests"),
        ((error_rate({"503": 18.0}, requests=None),), P2, "degraded service: 18.00 errors/s"),
        # all of hardly any requests is not over the threshold of errors
        ((error_rate({"503": 0.1}, requests=0.1),), P3, "minor impact: 0.10 errors/s, under the threshold"),
        ((workload(ready=0),), P1, "complete outage: no pod of the integration is ready"),
        ((workload(desired=0, ready=0),), P1, "complete outage: no pod of the integration is ready"),
        ((workload(ready=1),), P2, "degraded service: 1 of 2 pods ready"),
        ((probe(ProbeResult.UNREACHABLE), FULL_OUTAGE), P1, "complete outage: PostHog is unreachable"),
        ((probe(ProbeResult.SERVER_ERROR), FULL_OUTAGE), P1, "complete outage: PostHog is unreachable"),
        ((probe(ProbeResult.KEY_REJECTED), FULL_OUTAGE), P2, "degraded service: key rejected"),
        ((probe(ProbeResult.SERVER_ERROR), status_page(listed())), P2, "degraded service: server error"),
        ((FULL_OUTAGE,), P3, "minor impact: All down"),  # listed, but our requests are accepted
        # P2: degraded service
        ((health("degraded"),), P2, "degraded service: says degraded"),
        ((workload(pod(waiting="CrashLoopBackOff")),), P2, "degraded service: web-1: CrashLoopBackOff"),
        ((logs({"503": 9}),), P2, "degraded service: 9 error lines"),
        # P3: minor impact
        ((error_rate({"503": 0.05}),), P3, "minor impact: 0.05 errors/s, under the threshold"),
        ((status_page(listed("Webhooks are late")),), P3, "minor impact: Webhooks are late"),
        ((logs(others=9),), P3, "minor impact: 9 error lines"),
        # P4: no user impact
        ((), P4, "no user impact seen"),
        (
            (gone(STATUS_PAGE.name), gone(LOGS.name)),
            P4,
            "no user impact seen; monitoring gap: status page, logs",
        ),
    ],
)
def test_severity_is_the_worst_that_the_facts_show(
    found: tuple[Finding, ...], severity: Severity, because: str
) -> None:
    """Complete outage before degraded before minor, with the fact that decided."""
    assessment = assessed(triage(*found))
    assert assessment.severity is severity
    assert assessment.because.startswith(because)
    assert assessment.by == "rules"


@pytest.mark.parametrize(("share", "severity"), [(0.2, P1), (0.21, P2)])
def test_share_of_a_complete_outage_is_policy(share: float, severity: Severity) -> None:
    """The team's own share decides, from its very value on."""
    policy = POLICY.model_copy(update={"complete_outage_share": share})
    assert assessed(triage(error_rate({"503": 4.0})), policy=policy).severity is severity


@pytest.mark.parametrize(("claimed", "severity"), [(None, P2), (P1, P1), (P2, P2), (P3, P2), (P4, P2)])
def test_unknown_impact_counts_as_degraded_at_least(claimed: Severity | None, severity: Severity) -> None:
    """Where the facts do not suffice, the sender may make it worse, never better than degraded."""
    assert assessed(triage(gone(PROBE.name), gone(LOGS.name)), claimed=claimed).severity is severity


def test_seen_complete_outage_is_p1_although_its_cause_is_unknown() -> None:
    """An unknown verdict does not hide that nothing works."""
    found = triage(error_rate({"503": 20.0}), gone(STATUS_PAGE.name))
    assert walk(found)[1] is Verdict.UNKNOWN
    assert assessed(found, claimed=P4).severity is P1


def test_claimed_severity_decides_only_for_unknown() -> None:
    """In all 729 combinations the sender's claim matters only where the tree could not decide, upwards."""
    for findings in every_combination():
        plain = assessed(findings)
        for claimed in (P1, P4):
            severity = assessed(findings, claimed=claimed)
            if severity != plain:
                assert walk(findings)[1] is Verdict.UNKNOWN, told(findings)
                assert (claimed, severity.severity) == (P1, P1), told(findings)


def test_unknown_is_never_rated_better_than_degraded() -> None:
    """No combination of missing facts looks like minor or no impact."""
    for findings in every_combination():
        if walk(findings)[1] is Verdict.UNKNOWN:
            assert assessed(findings).severity in (P1, P2), told(findings)
