"""Two people are two that the settings know: another name could be anybody's further account."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.spec import Risk
from runbook.approvals.approvals import acceptable, decided, still_needed
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person, certain_number, is_listed
from runbook.approvals.rules import ApprovalRule
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import (
    MEMORY,
    OTHER,
    ROLL_BACK,
    YES,
    Said,
    answered,
    journal,
    outcome,
    said,
    spoken,
)

PEOPLE = {
    "ana": Person(logins=("ana@example.com",), also=("annie",)),
    "bob": Person(),
    "ghost": Person(counts_only=True),
}


@pytest.mark.parametrize(
    ("names", "besides", "number"),
    [
        ([], [], 0),
        (["ana"], [], 1),
        (["ana", "bob"], [], 2),
        (["ana", "ana@example.com", "ANA"], [], 1),
        (["root"], [], 1),
        (["root", "www"], [], 1),
        (["ana", "root"], [], 1),
        (["ana", "annie"], [], 1),
        (["ana", "ghost"], [], 1),
        (["ana", "bob", "root", "www"], [], 2),
        (["ana"], ["ana"], 0),
        (["bob"], ["ana"], 1),
        (["root"], ["ana"], 0),
        (["ana"], ["root"], 0),
        (["ana", "bob"], ["root"], 1),
        (["ana", "bob"], ["root", "www"], 0),
        (["ana", "bob"], ["bob", "root"], 0),
    ],
)
def test_names_are_as_few_people_as_they_can_be(names: list[str], besides: list[str], number: int) -> None:
    """Whom the settings do not list may be one of those that they list, or the same as another stranger."""
    assert certain_number(names, PEOPLE, besides=besides) == number


NAMES = st.sets(st.sampled_from(["ana", "ana@example.com", "annie", "bob", "ghost", "root", "www"]))


@given(names=NAMES, more=NAMES, besides=NAMES)
def test_more_approvals_are_never_fewer_people(names: set[str], more: set[str], besides: set[str]) -> None:
    """Nobody can take an approval away by giving another; and a stranger never makes the second."""
    before = certain_number(names, PEOPLE, besides=besides)
    assert certain_number(names | more, PEOPLE, besides=besides) >= before
    strangers = {name for name in more if not is_listed(name, PEOPLE)}
    assert certain_number(names | strangers, PEOPLE, besides=besides) in (before, 1)


def by(name: str, how: Proof) -> Any:
    """An approval that is proven in this way."""
    return said(name, YES, identity=Identity(name=name, how=how))


TWO = Policy(approvals={Risk.HIGH: ApprovalRule(count=2)}, people=PEOPLE)


def test_a_token_and_an_account_that_nothing_joins_are_one_person() -> None:
    """Her own account, which the settings have forgotten to name, is no second approver beside her token."""
    for account in ("als", "ana.lee@corp.example", "root"):
        answers = by("ana", Proof.API_TOKEN), by(account, Proof.OS_PEER)
        for order in (answers, answers[::-1]):
            assert decided(answered(*order), ROLL_BACK, TWO) is None
    assert outcome(decided(journal(ROLL_BACK, [("ana", YES), ("bob", YES)]), ROLL_BACK, TWO)) == ("bob", YES)


@pytest.mark.parametrize(
    ("answers", "policy"),
    [
        ([], TWO),
        ([("ana", YES)], TWO),
        ([("root", YES)], TWO),
        ([("ana", OTHER)], TWO.model_copy(update={"approvals": {}})),
    ],
    ids=["first of two", "second of two", "two strangers", "other than who asked"],
)
def test_a_stranger_is_told_why_a_yes_would_not_count(answers: list[Said], policy: Policy) -> None:
    """And what to do: nothing is approved that would count later by chance."""
    with pytest.raises(
        InvalidAnswer, match=(r"www is not in \[policy.people\]: .* must approve.*`runbook " r"paper`")
    ):
        acceptable(spoken("www"), journal(ROLL_BACK, answers), ROLL_BACK, policy)


def test_where_one_yes_is_enough_a_stranger_s_is() -> None:
    """Without anybody in the settings, one proven account approves what an alert asks for."""
    for name in ("root", "ana"):
        told = journal(ROLL_BACK, [(name, YES)])
        assert outcome(decided(told, ROLL_BACK, Policy())) == (name, YES)
        assert acceptable(spoken(name), journal(ROLL_BACK, []), ROLL_BACK, Policy()).approver == name


def test_a_response_that_was_started_by_hand_takes_two_that_the_settings_know() -> None:
    """One of them has not asked for it; two accounts could be one person, who has."""
    told = journal(ROLL_BACK, [("root", YES), ("www", YES)], requested_by="ana")
    assert decided(told, ROLL_BACK, Policy(people=PEOPLE)) is None
    told = journal(ROLL_BACK, [("ana", YES), ("bob", YES)], requested_by="ana")
    assert outcome(decided(told, ROLL_BACK, Policy(people=PEOPLE))) == ("bob", YES)


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ({}, "which lists nobody for this incident: go on by hand (`runbook paper`)"),
        ({"ana": Person()}, "which lists ana for this incident: go on by hand (`runbook paper`)"),
        ({"ana": Person(), "bob": Person(counts_only=True)}, "which lists ana for this incident"),
    ],
)
def test_the_question_says_where_nobody_can_give_two_approvals(people: dict[str, Person], words: str) -> None:
    """Before the first of them is given in vain."""
    two = TWO.model_copy(update={"people": people})
    assert words in still_needed(journal(ROLL_BACK, []), ROLL_BACK, two)


def test_a_name_that_looks_like_a_person_s_takes_nothing_away() -> None:
    """Nor does it add anything: `annie` counts as ana and has none of her rights."""
    rule = {Risk.MEDIUM: ApprovalRule(count=2, accept_unverified=True)}
    two = TWO.model_copy(update={"approvals": rule})
    told = journal(MEMORY, [("ana", YES), ("annie", YES), ("bob", YES)])
    assert outcome(decided(told, MEMORY, two)) == ("bob", YES)
    assert decided(journal(MEMORY, [("annie", YES), ("bob", YES)]), MEMORY, two) is None
