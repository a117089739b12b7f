"""When an open incident is looked at again, and when that leads to another decision."""

from datetime import datetime, timedelta

import pytest

from runbook.checks.again import decides_anew, differences, look_is_due, next_look_at, plan_of
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Decision, Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, FALLBACK, decided, decision, incident

POLICY = Policy(look_again_seconds=100, look_again_limit_seconds=500, facts_hold_seconds=60)
SAME = e.FactsChecked(round=1, verdict=Verdict.POSTHOG_OUTAGE)
OTHER = e.FactsChecked(
    round=1, verdict=Verdict.INTEGRATION_ISSUE, changes=("the verdict would be integration_issue",)
)
THIRD = e.FactsChecked(round=1, verdict=Verdict.UNKNOWN, changes=("the verdict would be unknown",))
AT = incident().opened_at


def journal(*timed: tuple[float, e.Event]) -> Incident:
    """An incident with events at so many seconds after its opening."""
    told = incident()
    recorded = [
        e.Recorded(seq=number, at=AT + timedelta(seconds=seconds), event=event)
        for number, (seconds, event) in enumerate(timed, start=1)
    ]
    return Incident.from_events(told.id, (told.journal[0], *recorded))


def after(at: datetime) -> float:
    """Seconds since the opening."""
    return (at - AT).total_seconds()


@pytest.mark.parametrize(
    ("timed", "seconds"),
    [
        ([], 110),
        ([(110, SAME)], 310),  # then ever more slowly
        ([(110, SAME), (310, SAME)], 710),
        ([(110, SAME), (310, SAME), (710, SAME)], 1210),  # up to the limit
        ([(110, SAME), (310, OTHER)], 370),  # to see whether it holds
        ([(50, e.AlertJoined(alert=ALERT))], 70),  # an alert is a reason to look sooner
        ([(110, SAME), (290, e.AlertJoined(alert=ALERT))], 290),
        ([(110, SAME), (200, e.FactsChanged(round=2, because=("x",)))], 300),  # a new decision begins anew
    ],
)
def test_the_runbook_looks_soon_and_then_ever_more_slowly(
    timed: list[tuple[float, e.Event]], seconds: float
) -> None:
    """Counted from the decision at 10 s, or from the newest look."""
    told = journal((10, decided()), *timed)
    assert after(next_look_at(told, policy=POLICY)) == seconds
    due = AT + timedelta(seconds=seconds)
    assert look_is_due(told, policy=POLICY, now=due)
    assert not look_is_due(told, policy=POLICY, now=due - timedelta(seconds=1))


@pytest.mark.parametrize(
    "told",
    [
        journal(),  # nothing was decided: the first triage is still to come
        journal((10, decided()), (20, e.IncidentResolved(outcome="recovered", because=()))),
    ],
)
def test_what_has_not_begun_or_has_ended_is_not_looked_at_again(told: Incident) -> None:
    """However long ago that was."""
    assert not look_is_due(told, policy=POLICY, now=AT + timedelta(days=9))


@pytest.mark.parametrize(
    ("verdict", "timed", "anew"),
    [
        (Verdict.POSTHOG_OUTAGE, [(110, SAME)], False),
        (Verdict.POSTHOG_OUTAGE, [(110, OTHER)], False),  # once is not enough
        (Verdict.POSTHOG_OUTAGE, [(110, OTHER), (170, OTHER)], True),
        (Verdict.POSTHOG_OUTAGE, [(110, OTHER), (130, OTHER)], False),  # too soon after
        (Verdict.POSTHOG_OUTAGE, [(110, OTHER), (170, SAME), (230, OTHER)], False),  # it comes and goes
        (Verdict.POSTHOG_OUTAGE, [(110, OTHER), (170, THIRD)], False),  # that is yet another
        (Verdict.UNKNOWN, [(110, OTHER)], True),  # nothing was decided before
        (Verdict.UNKNOWN, [(110, SAME)], False),
    ],
)
def test_other_facts_have_to_hold_before_the_plan_changes(
    verdict: Verdict, timed: list[tuple[float, e.Event]], anew: bool
) -> None:
    """So a verdict that flaps between two changes nothing."""
    told = journal((10, decided(decision(verdict))), *timed)
    now = AT + timedelta(seconds=timed[-1][0])
    assert bool(decides_anew(told, policy=POLICY, now=now)) is anew


def rated(severity: Severity, base: Decision) -> Decision:
    """The decision with another severity."""
    return base.model_copy(update={"severity": SeverityAssessment(severity=severity, because="test")})


PLANNED = rated(Severity.P2, decision(plan=(FALLBACK,)))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (PLANNED, ()),
        (rated(Severity.P3, PLANNED), ()),  # what people had to bear has happened
        (rated(Severity.P1, PLANNED), ("the severity would be P1, not P2",)),
        (
            PLANNED.model_copy(update={"plan": (FALLBACK.model_copy(update={"id": "7-enable-fallback"}),)}),
            (),
        ),
        (PLANNED.model_copy(update={"plan": ()}), ("the plan would be: nothing to do",)),
        (
            PLANNED.model_copy(update={"verdict": Verdict.UNKNOWN}),
            ("the verdict would be unknown, not posthog_outage",),
        ),
    ],
)
def test_only_what_counts_is_a_difference(now: Decision, words: tuple[str, ...]) -> None:
    """A verdict, a plan whatever the numbers of its actions, and a severity that rises."""
    assert differences(PLANNED, now) == words
    assert plan_of(PLANNED) == (f"{FALLBACK.spec.title} ({FALLBACK.target})",)


def test_a_verdict_that_holds_counts_though_the_severity_comes_and_goes() -> None:
    """What has not held is no reason; at the edge of two severities, each look found another one."""
    verdict, severity = "the verdict would be integration_issue", "the severity would be P1, not P2"
    looks = [
        OTHER.model_copy(update={"changes": changes})
        for changes in ((verdict,), (verdict, severity), (verdict,), (verdict, severity))
    ]
    for number, held in ((1, ()), (2, (verdict,)), (4, (verdict,))):
        timed = [(100.0 + 60 * place, look) for place, look in enumerate(looks[:number])]
        known = journal((0.0, decided()), *timed)
        at = known.journal[-1].at
        assert decides_anew(known, policy=POLICY, now=at) == held
    both = journal((0.0, decided()), (100.0, looks[1]), (160.0, looks[3]))
    assert decides_anew(both, policy=POLICY, now=both.journal[-1].at) == (verdict, severity)
