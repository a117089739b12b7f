"""Whoever asks for a high-risk change is not its only approver; who asked is often a claim."""

import pytest

from runbook.actions.spec import Risk
from runbook.approvals.approvals import acceptable, decided
from runbook.approvals.requesters import requesters
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import (
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
from tests.runbook.journals import ALERT, incident


@pytest.mark.parametrize(
    ("requested_by", "answers", "number", "decision"),
    [
        ("ana", [("ana", YES)], 1, None),
        ("ANA ", [("ana", YES)], 1, None),
        ("ana", [("ana", YES), ("bob", YES)], 1, ("bob", YES)),
        ("ana", [("bob", YES)], 1, None),  # nobody knows that it was ana, and not bob
        ("ana", [("bob", YES), ("cyd", YES)], 1, ("cyd", YES)),  # one of these two has not asked
        ("", [("ana?", OTHER), ("bob", YES)], 1, None),  # the same with an edit under another's name
        ("", [("ana?", OTHER), ("bob", YES), ("ana", YES)], 1, ("ana", YES)),  # who is named is not kept out
        ("ana", [("ana", NO)], 1, ("ana", NO)),
        ("", [("ana", OTHER), ("ana", YES)], 1, None),  # who edited is who asked
        ("", [("ana", OTHER), ("bob", YES)], 1, ("bob", YES)),
        ("ana", [("ana", YES), ("bob", YES)], 2, ("bob", YES)),
        ("ana", [("bob", OTHER), ("ana", YES), ("bob", YES)], 2, None),
        ("ana", [("bob", OTHER), ("ana", YES), ("bob", YES), ("cyd", YES)], 2, ("cyd", YES)),
    ],
)
def test_who_asks_for_a_high_risk_change_is_not_its_only_approver(
    requested_by: str, answers: list[Said], number: int, decision: Said | None
) -> None:
    """Starting the response by hand, or editing the change, is asking for it."""
    told = journal(ROLL_BACK, answers, requested_by=requested_by)
    assert outcome(decided(told, ROLL_BACK, policy(Risk.HIGH, count=number))) == decision


@pytest.mark.parametrize("risk", [Risk.LOW, Risk.MEDIUM])
def test_who_asks_for_a_lesser_change_may_approve_it(risk: Risk) -> None:
    """At night there may be one person only."""
    plan = OF_RISK[risk]
    told = journal(plan, [("ana", OTHER), ("ana", YES)], requested_by="ana")
    assert outcome(decided(told, plan, Policy())) == ("ana", YES)
    assert acceptable(spoken("ana"), told, plan, Policy()).approver == "ana"


def test_requesters_are_who_is_proven_to_have_edited_this_change() -> None:
    """An edit of another change makes nobody a requester of this one, nor does a name that is a claim."""
    told = answered(
        said("Bob", OTHER, ROLL_BACK),
        said("cyd", OTHER, MEMORY),
        said("dee", YES, ROLL_BACK),
        said("eve?", OTHER, ROLL_BACK),
        alert=ALERT.model_copy(update={"requested_by": "Ana"}),
    )
    assert requesters(told, ROLL_BACK, Policy()) == {"bob"}
    assert requesters(incident(), ROLL_BACK, Policy()) == frozenset()
