"""What was permitted when an incident was opened cannot be loosened for it by an edit of the policy."""

import pytest

from runbook.actions.limits import tripped
from runbook.actions.spec import Risk
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.approvals.approvals import acceptable, decided, standing_approval, still_needed
from runbook.approvals.gates import Channel, Choice, InvalidAnswer
from runbook.approvals.people import Person, counted_as, known_as
from runbook.approvals.rules import ApprovalRule
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.policy.in_force import permissions_at_opening, policy_edits, policy_in_force, policy_note
from runbook.policy.permissions import PermissionChange, Permissions, strictest
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import MEMORY, OF_RISK, RESTART, ROLL_BACK, spoken
from tests.runbook.approvals_samples import said as answered
from tests.runbook.journals import decided as decision_made
from tests.runbook.journals import decision
from tests.runbook.policy_samples import ONE, TWO, opened_with

STRICT = Policy(approvals={Risk.HIGH: ApprovalRule(count=2, approvers=("ana", "bob"))}, memory_ceiling="1Gi")
LAX = Policy(
    approvals={Risk.HIGH: ApprovalRule(accept_unverified=True)},
    preapproved={RESTART_DEPLOYMENT.name: (Severity.P1,)},
    replacement_key_block="another",
)


def test_loosening_does_not_apply_to_an_open_incident() -> None:
    """An unproven name, which the edited policy would take, approves nothing; nor does that policy itself."""
    told = opened_with(STRICT, answered("eve?"), decision_made(decision(severity=Severity.P1)))
    assert decided(told, ROLL_BACK, LAX) is None
    assert standing_approval(told, RESTART, LAX) is None
    with pytest.raises(InvalidAnswer, match="eve may not approve high-risk changes; who may: ana, bob"):
        acceptable(spoken("eve?"), told, ROLL_BACK, LAX)
    needed = still_needed(told, ROLL_BACK, LAX)
    assert needed.startswith("2 different people must approve, each of [policy.people]")
    assert "; who may: ana, bob; only with a proven" in needed
    assert policy_in_force(told, LAX).replacement_key_block == STRICT.replacement_key_block


def test_tightening_applies_at_once() -> None:
    """One yes was enough at the opening; since the edit it takes two, and the ceiling is lower."""
    told = opened_with(LAX, answered("eve?"))
    assert decided(opened_with(LAX, answered("eve?")), ROLL_BACK, LAX) is not None
    assert decided(told, ROLL_BACK, STRICT) is None
    edit = spoken("ana", Choice.EDIT, parameters={"memory": "2Gi"})
    assert acceptable(edit, told, MEMORY, LAX).parameters == {"memory": "2Gi"}
    with pytest.raises(InvalidAnswer, match="above the ceiling of 1Gi"):
        acceptable(edit, told, MEMORY, STRICT)


def test_two_lists_of_approvers_without_a_common_name_let_nobody_approve() -> None:
    """An empty list would let anybody; the question says why nobody may."""
    one = Policy(approvals={Risk.MEDIUM: ApprovalRule(approvers=("ana",))})
    two = Policy(approvals={Risk.MEDIUM: ApprovalRule(approvers=("eve",))})
    told = opened_with(one, answered("ana", plan=MEMORY), answered("eve", plan=MEMORY))
    assert decided(told, MEMORY, two) is None
    assert "who may: nobody: no person" in still_needed(told, MEMORY, two)
    for name in ("ana", "eve"):
        with pytest.raises(InvalidAnswer, match="who may: nobody"):
            acceptable(spoken(name), told, MEMORY, two)
    assert acceptable(spoken("eve", Choice.REJECT), told, MEMORY, two).choice is Choice.REJECT


def test_limits_are_those_of_the_opening_or_tighter() -> None:
    """The circuit breaker cannot be turned up during an incident."""
    done = Effect(
        id="inc-1/1-scale/set-field",
        kind="kubernetes",
        target="x",
        summary="x",
        authority=Authority.approval("g", "ana"),
        outcome=EffectOutcome.APPLIED,
    )
    told = opened_with(Policy(changes_per_incident=1), e.EffectSettled(effect=done))
    assert "changes_per_incident = 1" in str(tripped(told, [], policy=Policy(changes_per_incident=9)))
    assert tripped(opened_with(Policy()), [done], policy=Policy()) is None


@pytest.mark.parametrize("channel", ["policy", "approved-with-the-change"])
def test_a_standing_approval_ends_with_what_it_stood_on(channel: Channel) -> None:
    """It was journalled under a policy that said so; under one that does not, a person is asked."""
    told = opened_with(STRICT, answered("ana", plan=OF_RISK[Risk.LOW], channel=channel))
    assert decided(told, OF_RISK[Risk.LOW], LAX) is None


ALICE = Person(logins=("al",), public_keys=(ONE,))


def test_who_is_added_later_gets_no_rights_and_is_still_one_person() -> None:
    """A login or a key that was added during an incident proves nothing; the login does not count twice."""
    opening = Permissions.of(Policy()).model_copy(update={"people": {"alice": ALICE}})
    added = Person(logins=("al", "mallory"), public_keys=(ONE, TWO))
    present = opening.model_copy(update={"people": {"alice": added, "eve": Person()}})

    people = strictest(opening, present).people

    assert (people["alice"].logins, people["alice"].public_keys) == (("al",), (ONE,))
    assert known_as("mallory", people) == "mallory"
    assert counted_as("mallory", people) == counted_as("alice", people)
    assert people["eve"].counts_only


def test_who_is_taken_off_has_no_rights_at_once() -> None:
    """A key or login that was taken away counts no more, but still names the same person."""
    opening = Permissions.of(Policy()).model_copy(update={"people": {"alice": ALICE}})
    present = opening.model_copy(update={"people": {}})

    person = strictest(opening, present).people["alice"]

    assert (person.logins, person.public_keys, person.also, person.counts_only) == ((), (), ("al",), True)


@pytest.mark.parametrize(
    ("opening", "present", "together"),
    [
        ((), ("a",), ("a",)),  # from then on a signature is needed
        (("a",), (), ("a",)),
        (("a", "b"), ("b", "c"), ("b",)),
        (("a",), ("c",), ("",)),
    ],
)
def test_a_receivers_key_that_is_added_later_signs_nothing(
    opening: tuple[str, ...], present: tuple[str, ...], together: tuple[str, ...]
) -> None:
    """An edit may ask for a signature, and cannot name its own signer."""
    one = Permissions.of(Policy())
    combined = strictest(
        Permissions(**{**dict(one), "receiver_keys": opening}),
        Permissions(**{**dict(one), "receiver_keys": present}),
    )
    assert combined.receiver_keys == together


def test_a_journal_without_a_policy_is_under_the_one_that_is_noted_first() -> None:
    """An incident of the release before: the present policy holds, and from then on only tighter ones."""
    old = opened_with(None)
    assert policy_in_force(old, LAX) == LAX
    note = policy_note(old, STRICT)
    assert note == e.PolicyNoted(permissions=Permissions.of(STRICT))
    assert note is not None
    noted = opened_with(None, note)
    assert permissions_at_opening(noted) == Permissions.of(STRICT)
    assert policy_in_force(noted, LAX).rule_for(Risk.HIGH) == STRICT.rule_for(Risk.HIGH)
    assert policy_note(noted, STRICT) is None


def test_an_edit_is_noted_once_with_what_it_changes() -> None:
    """From what, to what, and whether it applies; the same policy again is no news, the way back is."""
    told = opened_with(STRICT)
    assert policy_note(told, STRICT) is None
    note = policy_note(told, LAX)
    assert isinstance(note, e.PolicyChanged)
    count = PermissionChange(name="approvals.high.count", before="2", after="1", applied=False)
    assert count in note.changes
    assert {change.name: change.applied for change in note.changes} == {
        "approvals.high.approvers": False,
        "approvals.high.count": False,
        "approvals.high.accept_unverified": False,
        "preapproved.restart_deployment": False,
        "memory_ceiling": False,
        "replacement_key_block": False,
    }
    edited = opened_with(STRICT, note)
    assert policy_note(edited, LAX) is None
    assert set(policy_edits(edited)) == set(note.changes)
    back = policy_note(edited, STRICT)
    assert isinstance(back, e.PolicyChanged)
    assert all(change.applied for change in back.changes)
    assert policy_edits(opened_with(STRICT, note, back)) == ()
