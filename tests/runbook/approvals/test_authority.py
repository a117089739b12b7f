"""An approval is weighed by what is proven now; what a line in the journal says of itself proves nothing."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runbook.actions.catalogue import ChangePlan
from runbook.actions.spec import Risk
from runbook.approvals.approvals import acceptable, decided, standing_approval
from runbook.approvals.authority import answer_statement, require_may_act, severity_statement
from runbook.approvals.gates import Answer, InvalidAnswer
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule, ApprovalRule
from runbook.approvals.signatures import public_text, signed
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import MEMORY, RESTART, ROLL_BACK, YES, answered, outcome, said, spoken
from tests.runbook.journals import OPENED, asked, decision, incident
from tests.runbook.journals import decided as decision_made

ANAS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BOBS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
RECEIVERS = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
ANA = Person(logins=("al",), public_keys=(public_text(ANAS.public_key()),))
BOB = Person(public_keys=(public_text(BOBS.public_key()),))
PEOPLE = Policy(people={"ana": ANA, "bob": BOB})
SIGNED = Identity(name="ana", how=Proof.SIGNING_KEY)
"""What an identity says that is to be signed."""


def signed_by(
    key: Ed25519PrivateKey, event: ApprovalAnswered, *, of: str = "inc-20261122-1500"
) -> ApprovalAnswered:
    """The answer with a signature over what it says now."""
    assert event.answer.identity is not None
    token = signed(answer_statement(of, event), at=OPENED, key=key)
    identity = event.answer.identity.model_copy(update={"signature": token})
    return event.model_copy(update={"answer": event.answer.model_copy(update={"identity": identity})})


def changed(
    event: ApprovalAnswered, *, answer: dict[str, Any] | None = None, **fields: Any
) -> ApprovalAnswered:
    """The event with other values, its signature left as it was."""
    said = event.answer.model_copy(update=answer or {})
    return event.model_copy(update={"answer": said, **fields})


GOOD = signed_by(ANAS, said("ana", identity=SIGNED))
OTHER_PLAN = ROLL_BACK.model_copy(update={"diff": "+a: 2"})
ONE_MORE = ROLL_BACK.action.model_copy(update={"id": "2-roll_back"})


def test_a_signed_approval_counts() -> None:
    """Of a high-risk change, with the person's own key; under a login of theirs too."""
    assert outcome(decided(answered(GOOD), ROLL_BACK, PEOPLE)) == ("ana", YES)
    by_login = signed_by(ANAS, said("Ana", identity=SIGNED.model_copy(update={"name": "AL"})))
    assert outcome(decided(answered(by_login), ROLL_BACK, PEOPLE)) == ("Ana", YES)


BY_ANA = said("ana", identity=SIGNED)
FORGED = {
    "another gate": changed(GOOD, gate="gate-x"),
    "another plan": changed(GOOD, plan_digest=OTHER_PLAN.digest),
    "another action": changed(GOOD, action_id=ONE_MORE.id),
    "another incident": signed_by(ANAS, BY_ANA, of="inc-1"),
    "another approver": changed(GOOD, answer={"approver": "bob"}),
    "another reason": changed(GOOD, answer={"reason": "something else"}),
    "a rejection made an approval": changed(
        signed_by(ANAS, said("ana", choice=YES.REJECT, identity=SIGNED)), answer={"choice": YES}
    ),
    "no signature": BY_ANA,
    "another one's key": signed_by(BOBS, BY_ANA),
    "an unknown person": signed_by(ANAS, said("eve", identity=Identity(name="eve", how=Proof.SIGNING_KEY))),
    "her own key under another's name": signed_by(
        BOBS, said("ana", identity=Identity(name="bob", how=Proof.SIGNING_KEY))
    ),
    "the old field": said("ana", identity=None, identity_proven=True),
    "the old field beside a claim": said("ana", identity=Identity(name="ana"), identity_proven=True),
    "a claim": said("ana", identity=Identity(name="ana")),
}


@pytest.mark.parametrize("event", FORGED.values(), ids=list(FORGED))
@pytest.mark.parametrize("plan", [ROLL_BACK, OTHER_PLAN, ROLL_BACK.model_copy(update={"action": ONE_MORE})])
def test_a_line_that_was_written_past_every_door_does_not_count(
    event: ApprovalAnswered, plan: ChangePlan
) -> None:
    """Not by saying that it is proven, nor with a signature of something else."""
    rebound = (
        event if plan is ROLL_BACK else changed(event, plan_digest=plan.digest, action_id=plan.action.id)
    )
    assert decided(answered(event), plan, PEOPLE) is None
    assert decided(answered(rebound), plan, PEOPLE) is None


def test_a_signature_is_good_once() -> None:
    """After she has taken her yes back, the same line written again is none."""
    two = Policy(people=PEOPLE.people, approvals={Risk.HIGH: ApprovalRule(count=2)})
    back = said("ana", choice=YES.SNOOZE)
    bob = signed_by(BOBS, said("bob", identity=Identity(name="bob", how=Proof.SIGNING_KEY)))
    assert outcome(decided(answered(GOOD, bob), ROLL_BACK, two)) == ("bob", YES)
    assert decided(answered(GOOD, back, GOOD, bob), ROLL_BACK, two) is None


NOW: dict[str, Policy] = {
    "the key was taken away": PEOPLE.model_copy(update={"people": {"ana": Person(logins=("al",))}}),
    "another key by now": PEOPLE.model_copy(update={"people": {"ana": BOB}}),
    "the person was taken away": PEOPLE.model_copy(update={"people": {}}),
    "no approver any more": PEOPLE.model_copy(
        update={"approvals": {Risk.HIGH: ApprovalRule(approvers=("bob",))}}
    ),
    "tokens only by now": PEOPLE.model_copy(
        update={"approvals": {Risk.HIGH: ApprovalRule(accept_unverified=False, proofs=(Proof.API_TOKEN,))}}
    ),
}


@pytest.mark.parametrize("now", NOW.values(), ids=list(NOW))
def test_an_approval_counts_by_the_people_and_rules_of_the_moment(now: Policy) -> None:
    """What was taken away between the answer and the change makes the answer void."""
    assert decided(answered(GOOD), ROLL_BACK, PEOPLE) is not None
    assert decided(answered(GOOD), ROLL_BACK, Policy.model_validate(now.model_dump())) is None


SEEN = (Proof.API_TOKEN, Proof.PROXY_HEADER, Proof.OS_PEER, Proof.SLACK, Proof.PAGERDUTY)


@pytest.mark.parametrize("how", SEEN)
def test_with_a_key_of_the_receiver_its_word_counts_only_if_it_is_signed(how: Proof) -> None:
    """So a line in the database that names a token, a proxy or an account is no proof by itself."""
    strict = PEOPLE.model_copy(update={"receiver_keys": (public_text(RECEIVERS.public_key()),)})
    seen = said("ana", identity=Identity(name="al", how=how, detail="uid 1001"))
    assert decided(answered(seen), ROLL_BACK, PEOPLE) is not None
    assert decided(answered(seen), ROLL_BACK, strict) is None
    vouched = signed_by(RECEIVERS, seen)
    assert outcome(decided(answered(vouched), ROLL_BACK, strict)) == ("ana", YES)
    assert decided(answered(signed_by(ANAS, seen)), ROLL_BACK, strict) is None
    as_bob = changed(vouched, answer={"approver": "bob"})
    assert decided(answered(as_bob), ROLL_BACK, strict) is None
    as_key = vouched.answer.identity and vouched.answer.identity.model_copy(update={"how": Proof.SIGNING_KEY})
    assert decided(answered(changed(vouched, answer={"identity": as_key})), ROLL_BACK, strict) is None


@pytest.mark.parametrize("how", [Proof.SLACK, Proof.PAGERDUTY])
def test_an_account_elsewhere_is_nobody_until_the_settings_know_it(how: Proof) -> None:
    """Both sign for everybody who has an account there; `[policy.people]` says who of them is who."""
    strict = PEOPLE.model_copy(
        update={"approvals": {Risk.HIGH: ApprovalRule(accept_unverified=False, proofs=(how,))}}
    )
    stranger = said("U0STRANGER", identity=Identity(name="U0STRANGER", how=how))
    assert decided(answered(stranger), ROLL_BACK, strict) is None
    known = said("ana", identity=Identity(name="al", how=how))
    assert outcome(decided(answered(known), ROLL_BACK, strict)) == ("ana", YES)


def of_an_earlier_release(*events: e.Event) -> Incident:
    """A journal that an earlier release has opened."""
    told = answered(*events)
    first = told.journal[0].model_copy(update={"event": e.IncidentOpened(alert=told.alert)})
    return Incident(id=told.id, journal=(first, *told.journal[1:]))


def test_a_proof_of_an_earlier_release_counts_in_its_own_journals_only() -> None:
    """Until an answer of this release comes after which none of the old kind can be written."""
    old = said("ana", identity=None, identity_proven=True)
    unproven = said("ana", identity=None)
    assert outcome(decided(of_an_earlier_release(old), ROLL_BACK, Policy())) == ("ana", YES)
    assert decided(of_an_earlier_release(unproven), ROLL_BACK, Policy()) is None
    assert decided(answered(old), ROLL_BACK, Policy()) is None
    newer = said("bob?", choice=YES.SNOOZE)
    assert decided(of_an_earlier_release(newer, old), ROLL_BACK, Policy()) is None
    needs_a_key = Policy(
        approvals={Risk.HIGH: ApprovalRule(accept_unverified=False, proofs=(Proof.SIGNING_KEY,))}
    )
    assert decided(of_an_earlier_release(old), ROLL_BACK, needs_a_key) is None


def test_where_the_receiver_signs_a_proof_of_an_earlier_release_counts_no_more() -> None:
    """Whoever can write into the store can write a whole journal that looks like an old one."""
    old = said("ana", identity=None, identity_proven=True)
    signing = Policy(receiver_keys=(public_text(RECEIVERS.public_key()),))
    assert decided(of_an_earlier_release(old), ROLL_BACK, signing) is None


def test_an_answer_is_accepted_with_the_signature_of_the_open_gate_only() -> None:
    """The door checks it as the run will."""
    told = incident(asked(ROLL_BACK, gate="open-1"))
    here = said("ana", identity=SIGNED).model_copy(update={"gate": "open-1"})
    assert acceptable(signed_by(ANAS, here).answer, told, ROLL_BACK, PEOPLE).approver == "ana"
    for wrong in (GOOD, signed_by(BOBS, here), here):
        with pytest.raises(
            InvalidAnswer, match="it is not proven that this is ana, which is required for high-risk changes"
        ):
            acceptable(wrong.answer, told, ROLL_BACK, PEOPLE)


@pytest.mark.parametrize(
    ("name", "other"), [("ana", "al"), ("ana", "ANA "), ("ana", "\N{FULLWIDTH LATIN SMALL LETTER A}na")]
)
def test_one_person_under_two_names_is_not_two(name: str, other: str) -> None:
    """Logins of the settings and spellings count as the person they are."""
    two = PEOPLE.model_copy(
        update={"approvals": {Risk.MEDIUM: ApprovalRule(count=2, accept_unverified=True)}}
    )
    for first, second in ((name, other), (other, name)):
        told = answered(said(first, plan=MEMORY), said(second, plan=MEMORY))
        assert decided(told, MEMORY, two) is None
        with pytest.raises(InvalidAnswer, match="has already approved this; 2 different people must approve"):
            acceptable(spoken(second), answered(said(first, plan=MEMORY)), MEMORY, two)


@pytest.mark.parametrize("name", ["an\u0430", "policy:preapproved"])
def test_nobody_answers_under_a_name_that_hides_what_it_is(name: str) -> None:
    """Refused where it is given; without effect where it was written past that."""
    with pytest.raises(InvalidAnswer, match="nobody can answer as"):
        acceptable(spoken(name), incident(), MEMORY, Policy())
    assert decided(answered(said(name, plan=MEMORY)), MEMORY, Policy()) is None


def test_what_cannot_be_seen_is_no_part_of_a_name() -> None:
    """It is taken off where the name comes in, so that nobody becomes another person by it."""
    assert spoken("a\u200bna").approver == "ana"


def overridden(severity: Severity, *, at: int = 0, key: Ed25519PrivateKey = ANAS) -> e.SeverityOverridden:
    """A severity that was signed so many seconds after the opening."""
    assessment = SeverityAssessment(severity=severity, because="checkout", by="ana")
    event = e.SeverityOverridden(assessment=assessment, identity=SIGNED)
    when = OPENED.replace(second=at)
    token = signed(severity_statement("inc-20261122-1500", event), at=when, key=key)
    return event.model_copy(update={"identity": SIGNED.model_copy(update={"signature": token})})


def test_a_signed_severity_counts_once() -> None:
    """Written again after she has changed her mind, it brings no pre-approval back."""
    policy = PEOPLE.model_copy(update={"preapproved": {RESTART.action.name: (Severity.P3,)}})
    assessed = decision_made(decision(severity=Severity.P1))
    minor, worse = overridden(Severity.P3), overridden(Severity.P1, at=1)
    again = overridden(Severity.P3, at=2)
    assert standing_approval(incident(assessed, minor), RESTART, policy) is not None
    assert standing_approval(incident(assessed, minor, worse), RESTART, policy) is None
    assert standing_approval(incident(assessed, minor, worse, minor), RESTART, policy) is None
    assert standing_approval(incident(assessed, minor, worse, again), RESTART, policy) is not None
    forged = overridden(Severity.P3, key=BOBS)
    assert standing_approval(incident(assessed, forged), RESTART, policy) is None


@pytest.mark.parametrize(
    ("rule", "identity", "refusal"),
    [
        (ActRule(), None, None),
        (ActRule(approvers=("ana",)), None, None),
        (ActRule(approvers=("bob",)), None, "ana may not do this; who may: bob"),
        (ActRule(accept_unverified=False), None, "it is not proven that this is ana"),
        (ActRule(accept_unverified=False), Identity(name="ana"), "it is not proven that this is ana"),
        (ActRule(accept_unverified=False), Identity(name="bob", how=Proof.OS_PEER), "it is not proven"),
        (ActRule(accept_unverified=False), Identity(name="al", how=Proof.OS_PEER), None),
        (ActRule(accept_unverified=False), SIGNED, "it is not proven"),
    ],
)
def test_acts_stand_under_one_rule(rule: ActRule, identity: Identity | None, refusal: str | None) -> None:
    """By default anybody may set a severity as a claim; a team can ask for people and proofs."""
    policy = PEOPLE.model_copy(update={"acts": rule})
    if refusal is None:
        require_may_act("ana", identity, {}, policy)
    else:
        with pytest.raises(InvalidAnswer, match=refusal):
            require_may_act("ana", identity, {}, policy)


def test_an_identity_of_a_journal_is_read_back() -> None:
    """With its signature, so that it can be checked for as long as the journal is kept."""
    assert Answer.model_validate_json(GOOD.answer.model_dump_json()) == GOOD.answer
