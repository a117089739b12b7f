"""A decision is explained, total and the same for the same findings."""

import pytest

from runbook.actions.spec import ActionKind
from runbook.checks.catalogue import CHECKS
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.readings import ProbeResult
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.decision.decide import decide, following
from runbook.decision.tree import walk
from runbook.decision.verdict import Decision, ErrorType, Verdict
from tests.runbook.findings_samples import (
    POLICY,
    TYPICAL,
    error_rate,
    every_combination,
    gone,
    health,
    listed,
    logs,
    probe,
    status_page,
    told,
    triage,
)

Made = list[tuple[Findings, Decision]]

WORDS = {"reported ok": Status.OK, "reported a problem": Status.BAD, "gave no answer": Status.UNKNOWN}


def made(findings: Findings) -> Decision:
    """The decision about these findings without a claimed severity."""
    return decide(findings, claimed=None, policy=POLICY)


@pytest.fixture(scope="module")
def decisions() -> list[tuple[Findings, Decision]]:
    """The decision about each of the 729 combinations of answers."""
    return [(findings, made(findings)) for findings in every_combination()]


def supposed(findings: Findings, change: str) -> Findings:
    """The findings with a counterfactual's words made true: `if the error rate check reported ok`."""
    words = change.removeprefix("if the ")
    check = next(check for check in CHECKS if words.startswith(f"{check.replace('_', ' ')} check "))
    status = WORDS[words.removeprefix(f"{check.replace('_', ' ')} check ")]
    return findings.replacing(TYPICAL[check, status])


def test_every_counterfactual_really_flips_the_verdict(decisions: Made) -> None:
    """Making a counterfactual's words true gives the verdict that it promises, in all 729 combinations."""
    for findings, decision in decisions:
        for counterfactual in decision.would_flip:
            other = walk(supposed(findings, counterfactual.change))[1]
            assert other is counterfactual.verdict, (counterfactual, told(findings))
            assert other is not decision.verdict, (counterfactual, told(findings))


def test_every_single_fact_that_would_flip_the_verdict_is_named(decisions: Made) -> None:
    """No other answer of a single check changes the verdict without being listed."""
    for findings, decision in decisions:
        flips = {
            (check, status)
            for (check, status), other in TYPICAL.items()
            if walk(findings.replacing(other))[1] is not decision.verdict
        }
        assert len(decision.would_flip) == len(flips), told(findings)


@pytest.mark.parametrize(
    ("found", "flips"),
    [
        (
            (error_rate({"503": 4.0}), status_page(listed())),
            {
                "if the status page check reported ok": Verdict.INTEGRATION_ISSUE,
                "if the status page check gave no answer": Verdict.UNKNOWN,
                "if the error rate check reported ok": Verdict.RESOLVED_OR_INTERMITTENT,
                "if the error rate check gave no answer": Verdict.RESOLVED_OR_INTERMITTENT,
            },
        ),
        (
            (gone(PROBE.name),),
            {
                "if the probe check reported ok": Verdict.RESOLVED_OR_INTERMITTENT,
                "if the probe check reported a problem": Verdict.INTEGRATION_ISSUE,
                "if the error rate check reported a problem": Verdict.INTEGRATION_ISSUE,
                "if the logs check reported a problem": Verdict.INTEGRATION_ISSUE,
            },
        ),
    ],
)
def test_counterfactuals_read_as_sentences(found: tuple[Finding, ...], flips: dict[str, Verdict]) -> None:
    """Each names one check, its other answer and the verdict that it would lead to."""
    would_flip = made(triage(*found)).would_flip
    assert {item.change: item.verdict for item in would_flip} == flips


def test_nothing_is_planned_where_the_facts_do_not_suffice_or_nothing_is_wrong(decisions: Made) -> None:
    """Unknown and resolved incidents have no plan; any other verdict has one in every combination."""
    for findings, decision in decisions:
        idle = decision.verdict in (Verdict.UNKNOWN, Verdict.RESOLVED_OR_INTERMITTENT)
        assert bool(decision.plan) is not idle, told(findings)


def test_nothing_is_changed_for_an_outage_of_posthog_but_the_fallback(decisions: Made) -> None:
    """While PostHog lists an incident, no key is replaced and nothing is restarted."""
    for findings, decision in decisions:
        if decision.verdict is Verdict.POSTHOG_OUTAGE:
            changes = [action.name for action in decision.plan if action.spec.kind is ActionKind.CHANGE]
            assert changes == ["enable_fallback"], told(findings)


@pytest.mark.parametrize(
    ("found", "error_type"),
    [
        ((error_rate({"401": 4.0}),), ErrorType.AUTHENTICATION),
        ((error_rate({"429": 4.0}),), ErrorType.RATE_LIMITED),
        ((error_rate({"503": 4.0}), status_page(listed())), ErrorType.POSTHOG_ERRORS),
        ((error_rate({"404": 4.0}),), ErrorType.UNKNOWN),
        ((probe(ProbeResult.SCOPE_MISSING),), ErrorType.AUTHENTICATION),
        ((health("down"),), ErrorType.INFRASTRUCTURE),
        ((), ErrorType.NONE),
        (
            (error_rate({"401": 4.0}), gone(STATUS_PAGE.name)),
            ErrorType.AUTHENTICATION,
        ),  # seen
        ((gone(PROBE.name),), ErrorType.UNKNOWN),
    ],
)
def test_error_type_is_the_largest_of_the_mix_or_follows_from_the_verdict(
    found: tuple[Finding, ...], error_type: ErrorType
) -> None:
    """The error type names what was seen; without errors it says whether our infrastructure is at fault."""
    decision = made(triage(*found))
    assert decision.error_type is error_type
    assert not decision.mix or next(iter(decision.mix)) is error_type


def test_mix_belongs_to_errors_of_posthog_only() -> None:
    """Stray errors under the threshold are no error type of an incident of ours."""
    decision = made(triage(error_rate({"401": 0.05}), health("down")))
    assert (decision.verdict, decision.mix) == (Verdict.INFRASTRUCTURE_ISSUE, {})


def test_the_same_findings_always_give_the_same_decision() -> None:
    """A decision depends on its findings alone: made twice, it is equal to the byte."""
    findings = triage(error_rate({"401": 3.0, "503": 3.0, "429": 3.0}), logs({"503": 9, "429": 9}))
    assert made(findings).model_dump_json() == made(findings).model_dump_json()


def test_reasons_of_a_decision_follow_its_path() -> None:
    """The facts are given in the order of the questions."""
    decision = made(triage(error_rate({"503": 4.0}), status_page(listed("US Cloud is slow"))))
    assert decision.because == (
        "error rate: 4.00 errors/s (20% of requests); 503: 4.00/s",
        "status page: US Cloud is slow (degraded_performance, investigating)",
    )


def test_a_decision_that_is_taken_anew_numbers_its_actions_on(decisions: Made) -> None:
    """No id is used twice in an incident, and the severity never falls."""
    every = [decision for _, decision in decisions]
    worst, mildest = (pick(every, key=lambda item: item.severity.severity.rank) for pick in (min, max))
    earlier = max(every, key=lambda item: len(item.plan))
    for decision in (worst, mildest, earlier):
        anew = following(decision, [worst, earlier])
        ids = [action.id for item in (worst, earlier, anew) for action in item.plan]
        assert [action.id.partition("-")[0] for action in anew.plan] == [
            str(number) for number in range(len(worst.plan) + len(earlier.plan) + 1, len(ids) + 1)
        ]
        assert [(action.name, action.parameters) for action in anew.plan] == [
            (action.name, action.parameters) for action in decision.plan
        ]
        assert anew.severity.severity is worst.severity.severity
        assert anew.verdict is decision.verdict
