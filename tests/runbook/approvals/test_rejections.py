"""What a rejection leads to: by hand, a question that comes back, or another decision."""

from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.approvals.gates import Answer, Choice, Instead, InvalidAnswer, complete
from runbook.approvals.rejections import (
    as_disputed,
    asks_again_at,
    dispute_of,
    question_comes_back,
    standing_rejection,
)
from runbook.checks.again import next_look_at
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import FALLBACK, PLAN, decided, decision, incident
from tests.runbook.questions import question

AT = incident().opened_at
OURS = decision(Verdict.POSTHOG_OUTAGE, plan=(FALLBACK,))


def rejected(instead: Instead | None, minutes: int | None = None) -> e.ApprovalAnswered:
    """Ana's rejection of the fallback."""
    answer = Answer(
        choice=Choice.REJECT,
        approver="ana",
        reason="it is the proxy",
        instead=instead,
        snooze_minutes=minutes,
    )
    return e.ApprovalAnswered(gate="gate-1", action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=answer)


def journal(*timed: tuple[float, e.Event]) -> Incident:
    """An incident whose events were written so many minutes after its opening, which asks."""
    told = incident(question(rejected(None)))
    recorded = [
        e.Recorded(seq=number, at=AT + timedelta(minutes=minutes), event=event)
        for number, (minutes, event) in enumerate(timed, start=2)
    ]
    return Incident.from_events(told.id, (*told.journal, *recorded))


@pytest.mark.parametrize("instead", [None, Instead.BY_HAND, Instead.NOTHING])
def test_only_a_wrong_verdict_ends_the_round(instead: Instead | None) -> None:
    """The others leave the decision as it is."""
    assert dispute_of(journal((1, decided(OURS)), (2, rejected(instead))), FALLBACK.id) is None


def test_a_person_who_says_that_the_verdict_is_wrong_begins_another_round() -> None:
    """By name, with their reason; the same verdict then proposes nothing, another one does."""
    told = journal((1, decided(OURS)), (2, rejected(Instead.WRONG_VERDICT)))
    dispute = dispute_of(told, FALLBACK.id)
    assert dispute == e.FactsChanged(round=2, because=("it is the proxy",), by="ana")
    told = journal((1, decided(OURS)), (2, rejected(Instead.WRONG_VERDICT)), (2, dispute))
    assert as_disputed(OURS, told).plan == ()
    other = decision(Verdict.INTEGRATION_ISSUE, plan=(FALLBACK,))
    assert as_disputed(other, told) == other
    nothing = decision(Verdict.POSTHOG_OUTAGE, plan=()).model_copy()
    again = e.DecisionMade(round=2, decision=nothing)
    events = [item.event for item in told.journal[1:]]
    assert not incident(*events, again).something_done  # nobody is told that anything is monitored


def test_a_verdict_that_is_disputed_stays_so_while_others_come_and_go() -> None:
    """When it is back, nothing is planned under it, and nobody is told that anything is monitored."""
    nothing = decision(Verdict.POSTHOG_OUTAGE, plan=())
    told = journal(
        (1, decided(OURS)),
        (2, rejected(Instead.WRONG_VERDICT)),
        (2, e.FactsChanged(round=2, because=("it is the proxy",), by="ana")),
        (2, e.DecisionMade(round=2, decision=decision(Verdict.INTEGRATION_ISSUE, plan=(FALLBACK,)))),
        (3, e.FactsChanged(round=3, because=("PostHog fails again",))),
        (3, e.DecisionMade(round=3, decision=nothing)),
    )
    assert as_disputed(OURS, told).plan == ()
    assert not told.something_done


def test_after_a_reopening_neither_a_dispute_nor_a_change_counts() -> None:
    """What was said and done before the end was about what was over then."""
    over: tuple[tuple[float, e.Event], ...] = (
        (4, e.IncidentResolved(outcome="recovered", because=("fine",), by="ana")),
        (5, e.IncidentClosed(outcome="recovered")),
        (6, e.IncidentReopened(because="not fine", by="ana", reopened=1)),
    )
    disputed: tuple[tuple[float, e.Event], ...] = (
        (1, decided(OURS)),
        (2, rejected(Instead.WRONG_VERDICT)),
        (2, e.FactsChanged(round=2, because=("it is the proxy",), by="ana")),
        (2, e.DecisionMade(round=2, decision=decision(Verdict.POSTHOG_OUTAGE, plan=()))),
    )
    assert as_disputed(OURS, journal(*disputed, *over)) == OURS
    done = e.ActionFinished(result=ActionResult(action=FALLBACK, outcome=ActionOutcome.RECOVERED, detail="x"))
    before = journal((1, decided(OURS)), (3, done))
    assert before.something_done
    again = (7.0, e.DecisionMade(round=2, decision=OURS))
    assert not journal((1, decided(OURS)), (3, done), *over, again).something_done


def test_facts_that_change_by_themselves_dispute_nothing() -> None:
    """The plan of the verdict is proposed again."""
    told = journal((1, decided(OURS)), (2, e.FactsChanged(round=2, because=("the plan would be other",))))
    assert as_disputed(OURS, told) == OURS


@pytest.mark.parametrize(("minutes", "after"), [(None, 60), (10, 10)])
def test_a_question_that_was_rejected_for_now_comes_back(minutes: int | None, after: int) -> None:
    """After as long as they said; the runbook looks then, and not only when its own turn comes."""
    told = journal((1, decided(OURS)), (2, rejected(Instead.NOTHING, minutes)))
    due = AT + timedelta(minutes=2 + after)
    assert asks_again_at(told) == due
    assert question_comes_back(told, due - timedelta(seconds=1)) is None
    again = question_comes_back(told, due)
    assert again is not None
    assert (again.round, again.by) == (2, "")
    rarely = Policy(look_again_seconds=1e6, look_again_limit_seconds=1e6)
    assert next_look_at(told, policy=rarely) == due
    assert asks_again_at(journal((1, decided(OURS)), (2, rejected(Instead.NOTHING)), (3, again))) is None


@pytest.mark.parametrize("instead", [None, Instead.BY_HAND, Instead.WRONG_VERDICT])
def test_no_other_question_comes_back(instead: Instead | None) -> None:
    """Nobody asks again for what is done by hand."""
    assert asks_again_at(journal((1, decided(OURS)), (2, rejected(instead)))) is None


@pytest.mark.parametrize("choice", [choice for choice in Choice if choice is not Choice.REJECT])
def test_only_a_rejection_says_what_happens_instead(choice: Choice) -> None:
    """With another answer it is a contradiction."""
    answer = Answer(choice=choice, approver="ana", reason="x", parameters={"a": "b"}, instead=Instead.NOTHING)
    with pytest.raises(InvalidAnswer, match="with a rejection only"):
        complete(answer)


def asked(gate: str, action_id: str = FALLBACK.id) -> e.ApprovalRequested:
    """A question about a plan of the action."""
    return e.ApprovalRequested(
        gate=gate, action_id=action_id, plan_digest=gate, question="?", flow_run_id="run", bound=True
    )


def said(gate: str, choice: Choice, action_id: str = FALLBACK.id) -> e.ApprovalAnswered:
    """An answer at a gate."""
    answer = Answer(choice=choice, approver="ana", reason="r")
    return e.ApprovalAnswered(gate=gate, action_id=action_id, plan_digest=gate, answer=answer)


@pytest.mark.parametrize(
    ("events", "stands"),
    [
        ((asked("a"), said("a", Choice.REJECT)), True),
        ((asked("a"), said("a", Choice.APPROVE)), False),
        ((asked("a"), said("a", Choice.SNOOZE)), False),
        ((asked("a"), said("a", Choice.APPROVE), said("a", Choice.REJECT)), False),
        ((asked("a"), said("a", Choice.REJECT), said("a", Choice.APPROVE)), True),
        ((asked("a"), said("a", Choice.REJECT), asked("b")), False),
        ((asked("a"), said("a", Choice.REJECT), asked("b"), said("b", Choice.APPROVE)), False),
        ((asked("a"), said("a", Choice.APPROVE), asked("b"), said("b", Choice.REJECT)), True),
        ((asked("a"), said("a", Choice.REJECT, "another")), False),
        ((asked("a"), said("a", Choice.REJECT), asked("b", "another")), True),
        ((said("planted", Choice.REJECT),), False),
        ((said("a", Choice.REJECT), asked("a")), False),
        ((asked("a"), said("a", Choice.APPROVE), said("planted", Choice.REJECT)), False),
        ((asked("a", "another"), said("a", Choice.REJECT)), False),
        ((asked("a"), said("a", Choice.REJECT), said("planted", Choice.APPROVE)), True),
        ((), False),
    ],
)
def test_a_rejection_stands_until_the_action_is_asked_about_again(
    events: tuple[e.Event, ...], stands: bool
) -> None:
    """Whatever plan it was about; a gate takes one answer only, and only after its question."""
    assert (standing_rejection(incident(*events), FALLBACK.id) is not None) == stands
