"""Where the settings know nobody, who works there is alone: an account's yes is enough, also their own."""

from typing import Any

import pytest

from runbook.actions.spec import Risk
from runbook.approvals.approvals import acceptable, decided, still_needed
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ApprovalRule
from runbook.incidents.events import IncidentOpened
from runbook.incidents.incident import Incident
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import (
    MEMORY,
    OTHER,
    ROLL_BACK,
    YES,
    answered,
    journal,
    outcome,
    said,
    spoken,
)
from tests.runbook.journals import ALERT, incident

BY_HAND = ALERT.model_copy(update={"requested_by": "ana"})


def high(**rule: Any) -> Policy:
    """A policy that lists nobody, with a rule for high-risk changes."""
    return Policy(approvals={Risk.HIGH: ApprovalRule(**rule)})


def by(name: str, how: Proof, **more: Any) -> Any:
    """An approval that is proven in this way, or claimed."""
    return said(name, YES, identity=Identity(name=name, how=how), **more)


def opened_under(told: Incident, policy: Policy) -> Incident:
    """The incident, opened while that policy was in force."""
    first, *rest = told.journal
    assert isinstance(first.event, IncidentOpened)
    event = first.event.model_copy(update={"permissions": Permissions.of(policy)})
    return told.model_copy(update={"journal": (first.model_copy(update={"event": event}), *rest)})


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("ana", Policy()),
        ("root", Policy()),
        ("ana", high()),
        ("ana", high(approvers=("ana",))),
        ("root", high(proofs=(Proof.OS_PEER,))),
    ],
)
def test_an_account_approves_what_was_asked_for_by_hand(name: str, policy: Policy) -> None:
    """Also what it has asked for itself, which nobody else could approve."""
    told = journal(ROLL_BACK, [], requested_by="ana")
    assert acceptable(spoken(name), told, ROLL_BACK, policy).approver == name
    assert outcome(decided(journal(ROLL_BACK, [(name, YES)], requested_by="ana"), ROLL_BACK, policy)) == (
        name,
        YES,
    )
    assert "the yes of an account on the receiver's machine is enough" in still_needed(
        told, ROLL_BACK, policy
    )


def test_an_account_approves_its_own_edit() -> None:
    """As `runbook edit` and then `runbook approve` do."""
    told = answered(said("ana", OTHER, ROLL_BACK))
    assert acceptable(spoken("ana"), told, ROLL_BACK, Policy()).approver == "ana"


@pytest.mark.parametrize("how", [how for how in Proof if how is not Proof.OS_PEER])
@pytest.mark.parametrize("policy", [Policy(), high(accept_unverified=True)])
def test_no_other_proof_is_enough(how: Proof, policy: Policy) -> None:
    """A token, a proxy and a claim are of people whom somebody could list; so nobody is known to be alone."""
    told = answered(by("ana", how), alert=BY_HAND)
    assert decided(told, ROLL_BACK, policy) is None
    with pytest.raises(InvalidAnswer):
        acceptable(by("ana", how).answer, incident(alert=BY_HAND), ROLL_BACK, policy)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(people={"ana": Person()}),
        Policy(people={"ana": Person(), "bob": Person()}),
        Policy(people={"ana": Person(counts_only=True)}),
        high(count=2),
        high(approvers=("ana", "bob")),
        high(proofs=(Proof.SIGNING_KEY,)),
        high(proofs=(Proof.API_TOKEN,)),
    ],
    ids=[
        "one listed",
        "two listed",
        "one who counts only",
        "two needed",
        "two named",
        "keys only",
        "tokens only",
    ],
)
def test_the_policy_can_say_otherwise(policy: Policy) -> None:
    """Whoever lists a person, names several, wants two or takes no account has somebody else in mind."""
    told = journal(ROLL_BACK, [("ana", YES)], requested_by="ana")
    assert decided(told, ROLL_BACK, policy) is None
    assert "the yes of an account" not in still_needed(told, ROLL_BACK, policy)


@pytest.mark.parametrize(("opening", "present"), [({"bob": Person()}, {}), ({}, {"bob": Person()})])
def test_people_who_are_taken_out_or_added_meanwhile_leave_nobody_alone(
    opening: dict[str, Person], present: dict[str, Person]
) -> None:
    """An edit of the policy does not loosen what was in force when the incident was opened."""
    told = opened_under(journal(ROLL_BACK, [("ana", YES)], requested_by="ana"), Policy(people=opening))
    assert decided(told, ROLL_BACK, Policy(people=present)) is None


def test_what_an_alert_asks_for_takes_what_it_took() -> None:
    """Any proof of one person; and a change of lower risk takes a claim."""
    for how in (Proof.OS_PEER, Proof.API_TOKEN):
        assert outcome(decided(answered(by("ana", how)), ROLL_BACK, Policy())) == ("ana", YES)
    assert outcome(decided(journal(MEMORY, [("ana?", YES)], requested_by="ana"), MEMORY, Policy())) == (
        "ana",
        YES,
    )
