"""A plan counts as approved when those who may have said yes to exactly this plan, and enough of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.spec import Risk
from runbook.approvals.approvals import acceptable, answers_to, decided, still_needed
from runbook.approvals.gates import Answer, Choice, InvalidAnswer
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import (
    LATER,
    MEMORY,
    NO,
    OF_RISK,
    OTHER,
    ROLL_BACK,
    YES,
    Said,
    answered,
    journal,
    outcome,
    policy,
    said,
    spoken,
)
from tests.runbook.questions import question


@pytest.mark.parametrize(
    ("answers", "of_one", "of_two"),
    [
        ([], None, None),
        ([("ana", YES)], ("ana", YES), None),
        ([("ana", YES), ("bob", YES)], ("ana", YES), ("bob", YES)),
        ([("ana", YES), ("ana", YES)], ("ana", YES), None),
        ([("ana", YES), ("Ana", YES)], ("ana", YES), None),  # one person, however it is spelt
        ([("ana", NO)], ("ana", NO), ("ana", NO)),
        ([("ana", NO), ("bob", YES), ("cyd", YES)], ("ana", NO), ("ana", NO)),
        ([("ana", YES), ("bob", NO)], ("ana", YES), ("bob", NO)),
        ([("ana", YES), ("bob", YES), ("cyd", NO)], ("ana", YES), ("bob", YES)),  # it was decided by then
        ([("ana", LATER)], None, None),
        ([("ana", OTHER)], None, None),
        ([("ana", LATER), ("bob", YES)], ("bob", YES), None),
        ([("ana", YES), ("bob", LATER), ("bob", YES)], ("ana", YES), None),  # a yes that was taken back
        ([("ana", YES), ("bob", OTHER), ("bob", YES)], ("ana", YES), None),
        ([("ana", YES), ("bob", LATER), ("ana", YES), ("bob", YES)], ("ana", YES), ("bob", YES)),
    ],
)
def test_decision_is_the_first_rejection_or_the_approval_that_completes_the_number(
    answers: list[Said], of_one: Said | None, of_two: Said | None
) -> None:
    """It takes one or two different people; one rejection is enough; `later` and an edit start over."""
    told = journal(MEMORY, answers)
    assert outcome(decided(told, MEMORY, policy(Risk.MEDIUM, count=1))) == of_one
    assert outcome(decided(told, MEMORY, policy(Risk.MEDIUM, count=2))) == of_two


@pytest.mark.parametrize(
    ("rule", "answers", "decision"),
    [
        ({"approvers": ("Ana", "cyd")}, [("bob", YES)], None),
        ({"approvers": ("Ana", "cyd")}, [("bob", YES), ("ana", YES)], ("ana", YES)),
        ({"approvers": ("Ana", "cyd"), "count": 2}, [("ana", YES), ("bob", YES)], None),
        ({"approvers": ("Ana", "cyd"), "count": 2}, [("ana", YES), ("bob", YES), ("cyd", YES)], ("cyd", YES)),
        ({"approvers": ("ana",)}, [("bob", NO)], ("bob", NO)),  # anybody may stop a change
        ({"accept_unverified": False}, [("ana?", YES)], None),
        ({"accept_unverified": False}, [("ana?", YES), ("ana", YES)], ("ana", YES)),
        ({"accept_unverified": False, "count": 2}, [("ana", YES), ("bob?", YES)], None),
        ({"accept_unverified": False}, [("ana?", NO)], ("ana", NO)),
        ({"accept_unverified": True}, [("ana?", YES)], ("ana", YES)),
    ],
)
@pytest.mark.parametrize("risk", OF_RISK)
def test_approval_recorded_past_the_policy_does_not_count(
    rule: dict[str, Any], answers: list[Said], decision: Said | None, risk: Risk
) -> None:
    """Whoever wrote it into the journal: a name that may not approve, or that nobody proved, is no yes."""
    plan = OF_RISK[risk]
    assert outcome(decided(journal(plan, answers), plan, policy(risk, **rule))) == decision


@pytest.mark.parametrize("risk", OF_RISK)
def test_unproven_identity_counts_for_all_but_high_risk_unless_said_otherwise(risk: Risk) -> None:
    """The default: what is typed into Prefect's form approves no key replacement and no rollback."""
    plan = OF_RISK[risk]
    assert (decided(journal(plan, [("ana?", YES)]), plan, Policy()) is None) is (risk is Risk.HIGH)


OTHER_PLANS = {
    "another diff": {"diff": "+a: 2"},
    "another basis": {"basis": {"workload": "f2"}},
    "another parameter": {"action": MEMORY.action.model_copy(update={"parameters": {"memory": "1Gi"}})},
    "another action": {"action": MEMORY.action.model_copy(update={"id": "2-raise-memory-limit"})},
}


@pytest.mark.parametrize("changes", OTHER_PLANS.values(), ids=list(OTHER_PLANS))
@pytest.mark.parametrize("choice", [YES, NO])
def test_answer_to_another_plan_never_counts(changes: dict[str, Any], choice: Choice) -> None:
    """Neither a yes nor a no is carried over to a plan that people have not seen."""
    other = MEMORY.model_copy(update=changes)
    told = answered(said("ana", choice, other))
    assert decided(told, MEMORY, Policy()) is None
    assert answers_to(told, MEMORY) == []
    assert outcome(decided(told, other, Policy())) == ("ana", choice)


def test_answer_counts_although_only_the_status_has_moved_on() -> None:
    """A new resourceVersion or another consequence is the same plan."""
    later = MEMORY.model_copy(update={"resource_versions": {"workload": "18"}, "affects": ("4 pods",)})
    assert outcome(decided(journal(MEMORY, [("ana", YES)]), later, Policy())) == ("ana", YES)


PEOPLE = st.sampled_from(["ana", "bob", "cyd", "ana?", "bob?"])
OS = Proof.OS_PEER
ANSWERS = st.lists(st.tuples(PEOPLE, st.sampled_from([YES, YES, NO, LATER])), max_size=7)
RULES = st.fixed_dictionaries(
    {
        "count": st.integers(1, 2),
        "accept_unverified": st.booleans(),
        "approvers": st.sampled_from([(), ("ana",), ("ana", "bob"), ("bob", "cyd")]),
    }
)
SITUATIONS: dict[str, st.SearchStrategy[Any]] = {
    "answers": ANSWERS,
    "rule": RULES,
    "risk": st.sampled_from(sorted(OF_RISK)),
    "requested_by": st.sampled_from(["", "ana"]),
}


@given(**SITUATIONS)
def test_decision_stands_whatever_is_said_afterwards(
    answers: list[Said], rule: dict[str, Any], risk: Risk, requested_by: str
) -> None:
    """Each beginning of the journal has the same decision as all that follows, once there is one."""
    plan, configured = OF_RISK[risk], policy(risk, **rule)
    whole = journal(plan, answers, requested_by=requested_by)
    found = None
    for length in range(1, len(whole.journal) + 1):
        now = decided(Incident(id=whole.id, journal=whole.journal[:length]), plan, configured)
        assert found is None or now == found
        found = now


@given(**SITUATIONS)
def test_nothing_is_approved_without_enough_people_who_may(
    answers: list[Said], rule: dict[str, Any], risk: Risk, requested_by: str
) -> None:
    """Behind every approval stand as many different names as the rule asks for, each of whom may."""
    plan = OF_RISK[risk]
    told = journal(plan, answers, requested_by=requested_by)
    found = decided(told, plan, policy(risk, **rule))
    if found is None or found.answer.choice is NO:
        return
    before = answers_to(told, plan)[: answers_to(told, plan).index(found) + 1]
    yes = {
        item.answer.approver
        for item in before
        if item.answer.choice is YES
        and (rule["accept_unverified"] or item.answer.identity == Identity(name=item.answer.approver, how=OS))
        and (not rule["approvers"] or item.answer.approver in rule["approvers"])
    }
    assert len(yes) >= rule["count"]
    assert risk is not Risk.HIGH or not requested_by or len(yes) >= 2
    assert not any(item.answer.choice is NO for item in before)


@given(**SITUATIONS)
def test_approval_that_is_accepted_counts(
    answers: list[Said], rule: dict[str, Any], risk: Risk, requested_by: str
) -> None:
    """Nobody's yes is taken in vain: it decides, or it is one of the two that are needed."""
    plan, configured = OF_RISK[risk], policy(risk, **rule)
    told = journal(plan, [], requested_by=requested_by)
    for who, choice in answers:
        if decided(told, plan, configured):
            return
        try:
            answer = acceptable(spoken(who, choice), told, plan, configured)
        except InvalidAnswer:
            continue
        event = said(who, choice, plan)
        assert event.answer == answer
        at = told.journal[-1]
        more = (at.model_copy(update={"event": new}) for new in (question(event), event))
        told = Incident(id=told.id, journal=(*told.journal, *more))
        if choice is YES and decided(told, plan, configured) != event:
            assert rule["count"] == 2 or requested_by
            assert f"{answer.approver} (" in still_needed(told, plan, configured)


@pytest.mark.parametrize(
    ("answers", "answer", "rule", "refusal"),
    [
        (
            [],
            spoken("bob"),
            {"approvers": ("ana", "cyd")},
            "bob may not approve high-risk changes; who may: ana, cyd",
        ),
        (
            [],
            spoken("ana?"),
            {},
            "it is not proven that this is ana, which is required for high-risk changes",
        ),
        (
            [("ana", YES)],
            spoken("ana"),
            {"count": 2},
            "ana has already approved this; 2 different people must approve",
        ),
        ([("ana", YES)], spoken("ANA"), {"count": 2}, "ANA has already approved this"),
        ([("req", YES)], spoken("req"), {}, "req has already approved this; 2 different people must approve"),
        ([("eve", OTHER)], spoken("eve"), {}, "eve asked for this high-risk change"),
        ([("eve", OTHER), ("req", YES)], spoken("eve"), {"count": 2}, "eve asked for this high-risk change"),
        ([], spoken(" "), {}, "the approver is empty"),
        ([], spoken("ana", NO, reason=""), {}, "a rejection needs a reason"),
        ([], spoken("ana", OTHER), {}, "'memory' cannot be changed here; what can be: nothing"),
    ],
)
def test_answer_that_could_not_count_is_refused_with_the_reason(
    answers: list[Said], answer: Answer, rule: dict[str, Any], refusal: str
) -> None:
    """The person at the gate hears at once why a yes would be in vain, and who may say it."""
    told = journal(ROLL_BACK, answers, requested_by="req")
    with pytest.raises(InvalidAnswer, match=refusal):
        acceptable(answer, told, ROLL_BACK, policy(Risk.HIGH, **rule))


@pytest.mark.parametrize(
    ("answers", "answer", "rule"),
    [
        ([], spoken("ana"), {"approvers": ("ANA",)}),
        ([], spoken("ana?"), {"accept_unverified": True}),
        ([], spoken("req"), {}),  # the first of two: somebody else has to come, as nobody knows who asked
        ([], spoken("req"), {"count": 2}),
        ([("req", YES)], spoken("ana"), {"count": 2}),
        ([("ana", YES), ("bob", LATER)], spoken("ana"), {"count": 2}),  # hers was taken back by the snooze
        ([("eve?", YES)], spoken("ana"), {"count": 2}),
        ([], spoken("bob?", NO), {"approvers": ("ana",)}),
        ([], spoken("bob?", LATER), {"approvers": ("ana",)}),
    ],
)
def test_answer_that_counts_is_accepted(answers: list[Said], answer: Answer, rule: dict[str, Any]) -> None:
    """Anybody may stop or put off a change; who may approve it, may do so after a snooze too."""
    told = journal(ROLL_BACK, answers, requested_by="req")
    assert acceptable(answer, told, ROLL_BACK, policy(Risk.HIGH, **rule)) == answer


def test_edit_is_accepted_within_bounds_and_kept_as_it_will_be_stored() -> None:
    """What the journal keeps is what the cluster will say."""
    edit = spoken("ana", OTHER, parameters={"memory": " 1024Mi "})
    accepted = acceptable(edit, journal(MEMORY, []), MEMORY, Policy())
    assert accepted.parameters == {"memory": "1Gi"}
    with pytest.raises(InvalidAnswer, match="above the ceiling of 2Gi"):
        acceptable(spoken("ana", OTHER, parameters={"memory": "9Gi"}), journal(MEMORY, []), MEMORY, Policy())


@pytest.mark.parametrize(
    ("answers", "rule", "words"),
    [
        ([], {"accept_unverified": True}, ""),
        ([], {}, "only with a proven identity (`runbook approve`)"),
        ([], {"accept_unverified": True, "approvers": ("ana", "bob")}, "who may: ana, bob"),
        (
            [],
            {"accept_unverified": True, "count": 2},
            "2 different people must approve, each of [policy.people]",
        ),
        (
            [("ana", YES)],
            {"accept_unverified": True, "count": 2},
            "2 different people must approve, each of [policy.people]; so far: ana (proven by account)",
        ),
        (
            [("ana", YES), ("bob", LATER)],
            {"accept_unverified": True, "count": 2},
            "2 different people must approve, each of [policy.people]",
        ),
    ],
)
def test_question_says_who_else_is_needed(answers: list[Said], rule: dict[str, Any], words: str) -> None:
    """An approver sees the rule and how far it is met; where anybody may, there is nothing to say."""
    assert still_needed(journal(ROLL_BACK, answers), ROLL_BACK, policy(Risk.HIGH, **rule)) == words
