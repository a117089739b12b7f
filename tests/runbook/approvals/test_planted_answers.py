"""A line that somebody has written into the store answers nothing, and keeps nobody from anything."""

import pytest

from runbook.approvals.approvals import answers_to, decided
from runbook.approvals.asking import unasked_answers
from runbook.approvals.gates import Choice, Instead
from runbook.approvals.rejections import asks_again_at, dispute_of
from runbook.approvals.requesters import requesters
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import LATER, MEMORY, NO, OTHER, ROLL_BACK, YES, said
from tests.runbook.journals import incident
from tests.runbook.questions import question


@pytest.mark.parametrize("choice", [YES, NO, LATER, OTHER])
@pytest.mark.parametrize("channel", ["cli", "api", "prefect-ui", "policy"])
def test_an_answer_counts_only_at_a_gate_that_had_asked_about_this_plan(choice: Choice, channel: str) -> None:
    """A line that somebody has written into the store is no answer, whatever it says."""
    planted = said("eve", choice, ROLL_BACK, channel=channel)
    asked = question(planted)
    elsewhere = asked.model_copy(update={"gate": "another"})
    of_another_plan = asked.model_copy(update={"plan_digest": MEMORY.digest})
    for events in ((planted,), (elsewhere, planted), (planted, asked), (of_another_plan, planted)):
        told = incident(*events)
        assert answers_to(told, ROLL_BACK) == [] or channel == "policy"
        assert decided(told, ROLL_BACK, Policy()) is None


def test_a_planted_line_has_none_of_an_answer_s_other_effects() -> None:
    """It edits no plan, makes nobody a requester, disputes no verdict and brings no question back."""
    edit = said("eve", OTHER, MEMORY)
    told = incident(edit)
    assert told.as_edited(MEMORY.action) == MEMORY.action
    assert requesters(told, MEMORY, Policy()) == frozenset()
    wrong = said("eve", NO, MEMORY, instead=Instead.WRONG_VERDICT)
    assert dispute_of(incident(wrong), MEMORY.action.id) is None
    later = said("eve", NO, MEMORY, instead=Instead.NOTHING)
    assert asks_again_at(incident(later)) is None
    for planted in (edit, wrong, later):
        assert unasked_answers(incident(planted)) == [planted]
        assert unasked_answers(incident(question(planted), planted)) == []


def test_a_standing_approval_answers_no_question_and_is_not_planted() -> None:
    """Only an approval can stand; another answer in its name is a line like any other."""
    standing = said("policy:preapproved", YES, MEMORY, channel="policy")
    assert unasked_answers(incident(standing)) == []
    rejection = said("policy:preapproved", NO, MEMORY, channel="policy")
    assert unasked_answers(incident(rejection)) == [rejection]
