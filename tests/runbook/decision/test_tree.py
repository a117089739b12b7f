"""The decision tree answers only what the facts answer, and reaches the runbook's leaves."""

import re
from itertools import product

import pytest

from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.readings import ProbeResult
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.specs.workload import WORKLOAD
from runbook.decision.tree import ASK, walk
from runbook.decision.verdict import Question, Reply, Verdict
from tests.runbook.findings_samples import (
    TYPICAL,
    WITNESSES,
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

ERRORS, LISTED, HEALTHY = Question
YES, NO, UNKNOWN = Reply
UNREACHABLE = probe(ProbeResult.UNREACHABLE)

RUNBOOK = """\
PostHog API returning errors?
├─ YES: Is status.posthog.com showing incident?
│  ├─ YES → Wait for PostHog to resolve. Enable fallback.
│  └─ NO → Our integration issue. Check credentials, config.
└─ NO: Is our service healthy?
   ├─ YES → Likely resolved or intermittent. Monitor.
   └─ NO → Our infrastructure issue. Check pods, memory, network.
"""
"""The tree as the runbook prints it."""


@pytest.mark.parametrize(
    ("found", "path", "advice"),
    [
        (
            (error_rate({"503": 4.0}), status_page(listed())),
            ((ERRORS, YES), (LISTED, YES)),
            "Wait for PostHog to resolve. Enable fallback.",
        ),
        (
            (error_rate({"401": 4.0}), status_page()),
            ((ERRORS, YES), (LISTED, NO)),
            "Our integration issue. Check credentials, config.",
        ),
        (
            (error_rate({}), health("healthy")),
            ((ERRORS, NO), (HEALTHY, YES)),
            "Likely resolved or intermittent. Monitor.",
        ),
        (
            (error_rate({}), health("down")),
            ((ERRORS, NO), (HEALTHY, NO)),
            "Our infrastructure issue. Check pods, memory, network.",
        ),
    ],
    ids=["PostHog's outage", "our integration", "resolved or intermittent", "our infrastructure"],
)
def test_each_leaf_of_the_runbook_is_reached_by_its_own_branches(
    found: tuple[Finding, ...], path: tuple[tuple[Question, Reply], ...], advice: str
) -> None:
    """The two answers that the runbook's tree names lead to the leaf with the runbook's own words."""
    branches, verdict = walk(triage(*found))
    assert tuple((branch.question, branch.reply) for branch in branches) == path
    assert verdict.advice == advice
    for question, reply in path:
        assert question.text in RUNBOOK
        assert reply.upper() in RUNBOOK
    assert re.search(rf"{path[-1][1].upper()} → {re.escape(advice)}", RUNBOOK)


@pytest.mark.parametrize(
    ("found", "reply"),
    [
        ((error_rate({"503": 4.0}),), YES),
        ((logs({"503": 9}),), YES),
        ((probe(ProbeResult.KEY_REJECTED),), YES),
        ((error_rate({"503": 4.0}), gone(LOGS.name), UNREACHABLE), YES),
        ((), NO),
        ((gone(LOGS.name),), NO),
        ((error_rate(None),), NO),
        ((error_rate(None), gone(LOGS.name)), UNKNOWN),
        ((UNREACHABLE,), UNKNOWN),
        ((UNREACHABLE, gone(LOGS.name)), UNKNOWN),
        ((error_rate(None), UNREACHABLE), UNKNOWN),
        ((error_rate(None), gone(LOGS.name), UNREACHABLE), UNKNOWN),
        ((error_rate(None), logs(unread={"web-2": "forbidden"})), UNKNOWN),
        ((error_rate(None), logs(others=9, unread={"web-2": "forbidden"})), UNKNOWN),
        ((error_rate(None), logs(others=9)), NO),
        ((error_rate(None), logs(unplaced=9)), UNKNOWN),  # they may be PostHog's
        ((logs(unplaced=9),), NO),  # the error rate says that they are not
        ((logs(named=9),), UNKNOWN),  # the error rate and the logs contradict each other
        ((logs(named=9), error_rate({"503": 4.0})), YES),
    ],
)
def test_posthog_returns_errors_if_one_witness_saw_them(found: tuple[Finding, ...], reply: Reply) -> None:
    """One witness is enough for yes; no needs the probe, and the error rate or logs read completely."""
    assert walk(triage(*found))[0][0].reply is reply


@pytest.mark.parametrize(
    ("found", "reply"),
    [
        ((), YES),
        ((health("down"),), NO),
        ((workload(pod(waiting="CrashLoopBackOff")),), NO),
        ((gone(HEALTH.name), workload(ready=0)), NO),
        ((health("down"), gone(WORKLOAD.name)), NO),
        ((gone(HEALTH.name),), UNKNOWN),
        ((gone(WORKLOAD.name),), UNKNOWN),
        ((gone(HEALTH.name), gone(WORKLOAD.name)), UNKNOWN),
    ],
)
def test_service_is_healthy_if_its_word_and_its_pods_agree(found: tuple[Finding, ...], reply: Reply) -> None:
    """Healthy needs both the health endpoint and the workload; one of them bad is enough for no."""
    branch = walk(triage(*found))[0][-1]
    assert (branch.question, branch.reply) == (HEALTHY, reply)


def expected(findings: Findings) -> Verdict:
    """The runbook's tree once more, written down by statuses alone."""
    status = findings.status
    clear = {check for check in WITNESSES if status(check) is Status.OK}
    if any(status(check) is Status.BAD for check in WITNESSES):
        return {
            Status.BAD: Verdict.POSTHOG_OUTAGE,
            Status.OK: Verdict.INTEGRATION_ISSUE,
            Status.UNKNOWN: Verdict.UNKNOWN,
        }[status(STATUS_PAGE.name)]
    if PROBE.name not in clear or len(clear) < 2:
        return Verdict.UNKNOWN
    inside = {status(HEALTH.name), status(WORKLOAD.name)}
    if Status.BAD in inside:
        return Verdict.INFRASTRUCTURE_ISSUE
    return Verdict.UNKNOWN if Status.UNKNOWN in inside else Verdict.RESOLVED_OR_INTERMITTENT


def test_every_combination_of_answers_leads_where_the_runbook_says() -> None:
    """All 729 combinations end at the leaf that the tree's own definition gives, and all leaves occur."""
    verdicts = set()
    for findings in every_combination():
        _, verdict = walk(findings)
        assert verdict is expected(findings), told(findings)
        verdicts.add(verdict)
    assert verdicts == set(Verdict)


def test_an_unknown_answer_ends_the_walk_and_nothing_else_does() -> None:
    """Every path is one or two questions; it ends with `unknown` exactly if the last answer is unknown."""
    for findings in every_combination():
        path, verdict = walk(findings)
        assert 1 <= len(path) <= 2, told(findings)
        assert path[0].question is ERRORS
        assert all(branch.reply is not UNKNOWN for branch in path[:-1]), told(findings)
        assert (path[-1].reply is UNKNOWN) is (verdict is Verdict.UNKNOWN), told(findings)


def test_a_certain_answer_does_not_hang_on_an_unknown_check() -> None:
    """Yes and no stay what they are, whatever an unknown check would have said.

    The one exception is by design: "no errors" rests on two of three witnesses.
    """
    for findings in every_combination():
        certain = [branch for branch in walk(findings)[0] if (branch.question, branch.reply) != (ERRORS, NO)]
        for branch, open_ in product(certain, findings.unknowns):
            if branch.reply is not UNKNOWN:
                for status in Status:
                    other = findings.replacing(TYPICAL[open_.check, status])
                    assert ASK[branch.question](other).reply is branch.reply, (open_.check, told(findings))


def test_every_branch_says_which_facts_gave_its_answer() -> None:
    """The reasons of a branch are the checks that bear on its question and agree with its answer."""
    bearing = {ERRORS: WITNESSES, LISTED: (STATUS_PAGE.name,), HEALTHY: (HEALTH.name, WORKLOAD.name)}
    agreeing = {YES: Status.BAD, NO: Status.OK, UNKNOWN: Status.UNKNOWN}
    agreeing_if_healthy = {YES: Status.OK, NO: Status.BAD, UNKNOWN: Status.UNKNOWN}
    for findings in every_combination():
        for branch in walk(findings)[0]:
            means = agreeing_if_healthy if branch.question is HEALTHY else agreeing
            supporting = [
                f"{item.check.replace('_', ' ')}: {item.summary}"
                for item in findings.items
                if item.check in bearing[branch.question] and item.status is means[branch.reply]
            ]
            assert list(branch.because) == supporting, (branch, told(findings))


def test_a_triage_without_any_check_decides_nothing() -> None:
    """No findings at all are unknown, and say so."""
    path, verdict = walk(Findings(items=()))
    assert verdict is Verdict.UNKNOWN
    assert [branch.because for branch in path] == [("nothing was observed",)]
