"""What was permitted when an incident was opened cannot be loosened for it by an edit of the policy."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.limits import tripped
from runbook.actions.spec import Risk
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.switch import Switch
from runbook.approvals.approvals import acceptable, decided, standing_approval, still_needed
from runbook.approvals.gates import Channel, Choice, InvalidAnswer
from runbook.approvals.identity import Proof
from runbook.approvals.people import Person, counted_as, known_as
from runbook.approvals.rules import ActRule, ApprovalRule
from runbook.approvals.signatures import public_text
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.incident import Incident
from runbook.kubernetes.quantities import memory_bytes
from runbook.policy.in_force import permissions_at_opening, policy_edits, policy_in_force, policy_note
from runbook.policy.permissions import PermissionChange, Permissions, edits, strictest
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import MEMORY, OF_RISK, RESTART, ROLL_BACK, spoken
from tests.runbook.approvals_samples import said as answered
from tests.runbook.journals import ALERT, OPENED, decision
from tests.runbook.journals import decided as decision_made

NO_AUTHORITY = {
    *("service", "healthy_words", "incident_commander", "calendar", "update_interval_minutes", "keep_days"),
    *("error_rate_threshold", "complete_outage_share", "log_error_threshold", "log_window_seconds"),
    *("recent_rollout_seconds", "check_deadline_seconds", "remind_after_seconds", "escalate_after_seconds"),
    "approval_outage_seconds",
    *("takeover_after_seconds", "continuations_per_hour", "hold_seconds", "rollout_deadline_seconds"),
    *("success_deadline_seconds", "settle_seconds", "watch_poll_seconds", "watch_limit_seconds"),
    *("maintenance", "listed_maintenance_suppresses_paging", "flapping_quiet_seconds"),
    *("evidence_due_seconds", "evidence_window_seconds"),
}
"""What an incident takes from the present policy: thresholds, clocks and names, which allow nothing."""

SWITCHES = st.builds(Switch, variable=st.sampled_from("AB"), value=st.sampled_from("xy"))
SEVERITIES = st.none() | st.sampled_from(Severity)
NAMES = st.lists(st.sampled_from(["ana", "Ana", "bob", "cyd"]), max_size=3, unique=True).map(tuple)
SAMPLE = (Proof.API_TOKEN, Proof.OS_PEER)
PROOFS = st.sets(st.sampled_from(SAMPLE)).map(lambda found: tuple(item for item in SAMPLE if item in found))
ONE, TWO = (
    public_text(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key()) for number in (1, 2)
)
RULES = st.builds(
    ApprovalRule,
    approvers=NAMES,
    count=st.integers(1, 2),
    accept_unverified=st.booleans(),
    proofs=PROOFS,
)
ACTS = st.builds(ActRule, approvers=NAMES, accept_unverified=st.booleans(), proofs=PROOFS)
KEYS = st.lists(st.sampled_from([ONE, TWO]), max_size=2, unique=True).map(tuple)


def persons(login: str, key: str) -> st.SearchStrategy[Person]:
    """A person with or without a login and a key."""
    return st.builds(Person, logins=st.sampled_from([(), (login,)]), keys=st.sampled_from([(), (key,)]))


PERSONS = st.fixed_dictionaries({}, optional={"ana": persons("al", ONE), "dan": persons("da", TWO)})
LOW_RISK = (RESTART_DEPLOYMENT.name, DELETE_POD.name)
PERMISSIONS = st.builds(
    Permissions,
    approvals=st.dictionaries(st.sampled_from(Risk), RULES, max_size=3),
    preapproved=st.dictionaries(
        st.sampled_from(LOW_RISK), st.lists(st.sampled_from(Severity), min_size=1, unique=True).map(tuple)
    ),
    acts=ACTS,
    people=PERSONS,
    receiver_keys=KEYS,
    undo_needs_approval=st.booleans(),
    dry_run_only=st.booleans(),
    changes_per_incident=st.integers(0, 3),
    changes_per_hour=st.integers(0, 3),
    memory_ceiling=st.sampled_from(["512Mi", "1Gi", "1024Mi", "2Gi"]),
    replicas_ceiling=st.integers(1, 5),
    replacement_key_block=st.sampled_from(["a", "b"]),
    queue_switch=SWITCHES,
    fallback_switch=SWITCHES,
    announce=st.booleans(),
    publish_from=SEVERITIES,
    page_from=SEVERITIES,
)


def opened_with(policy: Policy | None, *events: e.Event, alert: Any = ALERT) -> Incident:
    """An incident that was opened under a policy; `None` is one of an earlier release, which noted none."""
    permissions = Permissions.of(policy) if policy else None
    journal = [e.IncidentOpened(alert=alert, permissions=permissions), *events]
    recorded = [e.Recorded(seq=n, at=OPENED, event=event) for n, event in enumerate(journal)]
    return Incident.from_events("inc-1", recorded)


def test_every_part_of_the_policy_has_been_thought_about() -> None:
    """A new setting either carries authority, and says which value is stricter, or is listed as one that does
    not; and a new part of a rule is combined as the others are."""
    assert set(Policy.model_fields) - NO_AUTHORITY == set(Permissions.model_fields)
    assert set(Policy.model_fields) >= NO_AUTHORITY
    assert set(ApprovalRule.model_fields) == {"approvers", "count", "accept_unverified", "proofs"}
    assert set(Person.model_fields) == {"logins", "public_keys", "also", "counts_only"}


PEOPLE = ("ana", "bob", "cyd", "eve")


def allowed_by(permissions: Permissions) -> set[object]:
    """Everything of a list of things to do that a policy lets happen, by itself or with so many approvals."""
    policy = permissions.applied_to(Policy())
    allowed: set[object] = {
        ("approved", risk, people, proof)
        for risk in Risk
        for people in [(one,) for one in PEOPLE]
        + [(one, two) for one in PEOPLE for two in PEOPLE if one < two]
        for proof in (None, *SAMPLE)
        if _suffice(policy.rule_for(risk), people, proof)
    }
    allowed |= {
        ("act", name, proof)
        for name in PEOPLE
        for proof in (None, *SAMPLE)
        if _suffice(ApprovalRule(**dict(policy.acts)), (name,), proof)
    }
    allowed |= {("receiver", key) for key in (None, ONE, TWO) if key in (policy.receiver_keys or (key,))}
    allowed |= {("preapproved", name, at) for name, levels in policy.preapproved.items() for at in levels}
    allowed |= {("change", number) for number in range(policy.changes_per_incident)}
    allowed |= {("change within an hour", number) for number in range(policy.changes_per_hour)}
    allowed |= {("memory", n) for n in range(5) if n * 2**29 <= memory_bytes(policy.memory_ceiling)}
    allowed |= {("replicas", number) for number in range(policy.replicas_ceiling + 1)}
    allowed |= {("publish", severity) for severity in Severity if policy.publishes(severity)}
    allowed |= {("page", severity) for severity in Severity if policy.pages(severity)}
    flags = {
        "undo": not policy.undo_needs_approval,
        "change anything": not policy.dry_run_only,
        "announce": policy.announce,
    }
    return allowed | {name for name, given_ in flags.items() if given_}


def _suffice(rule: ApprovalRule, people: tuple[str, ...], proof: Proof | None) -> bool:
    known = {name.casefold() for name in rule.approvers}
    may = [name for name in people if not known or name in known]
    proven = proof is not None and (not rule.proofs or proof in rule.proofs)
    return len(may) >= rule.count and (proven or rule.accept_unverified)


@given(PERMISSIONS, PERMISSIONS)
def test_two_policies_together_allow_exactly_what_both_allow(one: Permissions, two: Permissions) -> None:
    """Never more than either, and no less than what they have in common."""
    together = allowed_by(strictest(one, two))
    both = allowed_by(one) & allowed_by(two)
    assert together <= both
    people = ("approved", "act")
    assert both - together <= {item for item in both if isinstance(item, tuple) and item[0] in people}


@given(PERMISSIONS, PERMISSIONS, PERMISSIONS)
def test_how_policies_are_combined_makes_no_difference(
    one: Permissions, two: Permissions, three: Permissions
) -> None:
    """Twice is once, and the order of combining is no matter; nor, but for names, which one comes first."""
    assert strictest(one, one) == one.model_copy(update={"preapproved": strictest(one, one).preapproved})
    assert strictest(strictest(one, two), two) == strictest(one, two)
    assert strictest(one, strictest(two, three)) == strictest(strictest(one, two), three)
    assert allowed_by(strictest(one, two)) == allowed_by(strictest(two, one))


@given(PERMISSIONS, PERMISSIONS)
def test_what_is_not_ordered_stays_as_it_was_at_the_opening(one: Permissions, two: Permissions) -> None:
    """Whoever edits the name of the key's block does not choose the key of an incident that is open."""
    together = strictest(one, two)
    for name in ("replacement_key_block", "queue_switch", "fallback_switch"):
        assert getattr(together, name) == getattr(one, name)


@given(PERMISSIONS, PERMISSIONS)
def test_an_edit_says_from_what_to_what_and_whether_it_applies(one: Permissions, two: Permissions) -> None:
    """What applies is what the combination has; equal policies have no edits, and others have some."""
    found = edits(one, two)
    assert bool(found) == (one.digest != two.digest)
    assert all(change.before != change.after for change in found)
    if all(change.applied for change in found):
        assert allowed_by(strictest(one, two)) == allowed_by(two)


@given(PERMISSIONS)
def test_the_journal_gives_back_what_was_noted(permissions: Permissions) -> None:
    """A later process compares with the very same value."""
    event = e.IncidentOpened(alert=ALERT, permissions=permissions)
    read = e.EVENT.validate_json(e.EVENT.dump_json(event))
    assert isinstance(read, e.IncidentOpened)
    assert read == event
    assert read.permissions is not None
    assert read.permissions.digest == permissions.digest


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
