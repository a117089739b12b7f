"""What a person may do about an incident, and when what a journal says of it counts."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.acts import Act, ActKind, ActOnClosed, event_of, gate_is_acknowledged, is_so_already
from runbook.approvals.authority import ActEvent, act_counts, act_statement
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule
from runbook.approvals.signatures import public_text, signed
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.people import lead_of
from runbook.outside_text import MAX_TEXT
from runbook.policy.policy import Policy
from tests.runbook.journals import OPENED, asked, incident

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ANA = Person(logins=("al",), public_keys=(public_text(KEY.public_key()),))
POLICY = Policy(people={"ana": ANA, "bob": Person()})
STRICT = Policy(people=POLICY.people, acts=ActRule(approvers=("ana",), accept_unverified=False))
CLAIM = Identity(name="ana")
CLOSED = e.IncidentClosed(outcome="recovered")


def made(act: Act, told: Incident | None = None, by: str = "ana") -> ActEvent:
    """The event of an act, half an hour after the opening."""
    now = OPENED + timedelta(minutes=30)
    return event_of(act, told or incident(), by=by, identity=CLAIM, policy=POLICY, now=now)


def act(kind: ActKind, **said: str) -> Act:
    """What a person wants."""
    return Act.model_validate({"kind": kind} | said)


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        (act(ActKind.TAKE), e.LeadAssigned(lead="ana", by="ana", identity=CLAIM)),
        (act(ActKind.ASSIGN, name=" bob "), e.LeadAssigned(lead="bob", by="ana", identity=CLAIM)),
        (act(ActKind.ASSIGN, name="AL"), e.LeadAssigned(lead="ana", by="ana", identity=CLAIM)),
        (act(ActKind.COMMS, name="cyd"), e.CommsLeadAssigned(lead="cyd", by="ana", identity=CLAIM)),
        (act(ActKind.SUPPORT, name="dee"), e.SupportAssigned(lead="dee", by="ana", identity=CLAIM)),
        (act(ActKind.SUPPORT), e.SupportAssigned(lead="ana", by="ana", identity=CLAIM)),
        (act(ActKind.COMMS), e.CommsLeadAssigned(lead="ana", by="ana", identity=CLAIM)),
        (act(ActKind.ACK), e.IncidentAcknowledged(by="ana", identity=CLAIM)),
        (act(ActKind.NOTE, text=" x\n"), e.NoteAdded(by="ana", text="x", identity=CLAIM)),
        (
            act(ActKind.NOTE, text="x", at="15:05"),
            e.NoteAdded(by="ana", text="x", identity=CLAIM, happened_at=OPENED + timedelta(minutes=5)),
        ),
    ],
)
def test_an_act_is_an_event(wanted: Act, event: e.Event) -> None:
    """Who it is about is a person of the settings where they know the name."""
    assert made(wanted) == event


def test_a_secret_in_a_note_is_masked() -> None:
    """It comes in by the same door as all text from outside."""
    noted = made(act(ActKind.NOTE, text="the key is phx_canary0Q7zX4bV9nM2kL8 \x1b[31m"))
    assert isinstance(noted, e.NoteAdded)
    assert "phx_canary" not in noted.text
    assert "\x1b" not in noted.text


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (act(ActKind.ASSIGN), "the name is empty"),
        (act(ActKind.ASSIGN, name="an\u0430"), "mixes"),
        (act(ActKind.COMMS, name="ana\u202e"), "invisible characters"),
        (act(ActKind.ASSIGN, name="policy:preapproved"), "the configuration's own"),
        (act(ActKind.NOTE, text=" \n"), "the note is empty"),
        (act(ActKind.NOTE, text="x" * (MAX_TEXT + 1)), "at most"),
        (act(ActKind.NOTE, text="x", at="16:00"), "still to come"),
    ],
)
def test_what_is_not_complete_is_refused(wanted: Act, why: str) -> None:
    """One that names nobody, or somebody who hides what they are, and a note that would be cut."""
    with pytest.raises(InvalidAnswer, match=why):
        made(wanted)


@pytest.mark.parametrize("kind", ActKind)
def test_a_closed_incident_takes_notes_a_reopening_and_answers_to_its_text_only(kind: ActKind) -> None:
    """People write afterwards, go on with it, and have the public told; nobody leads what is over."""
    wanted = act(kind, name="bob", text="x")
    if kind is ActKind.REOPEN:
        assert made(wanted, incident(CLOSED)) == e.IncidentReopened(
            because="x", by="ana", identity=CLAIM, reopened=1
        )
    elif kind is ActKind.NOTE:
        assert made(wanted, incident(CLOSED)) == made(wanted)
    elif kind in (ActKind.PUBLISH, ActKind.WITHHOLD):
        with pytest.raises(InvalidAnswer, match="no text for the public waits for an answer"):
            made(wanted, incident(CLOSED))
    else:
        with pytest.raises(ActOnClosed, match="is closed"):
            made(wanted, incident(CLOSED))


SIGNED = Identity(name="ana", how=Proof.SIGNING_KEY)


def by_key(event: ActEvent, key: Ed25519PrivateKey = KEY, *, of: str = "inc-20261122-1500") -> ActEvent:
    """The event with a signature over what it says now."""
    bare = event.model_copy(update={"identity": SIGNED})
    token = signed(act_statement(of, bare), at=OPENED, key=key)
    return bare.model_copy(update={"identity": SIGNED.model_copy(update={"signature": token})})


LEAD, COMMS = e.LeadAssigned(lead="bob", by="ana"), e.CommsLeadAssigned(lead="bob", by="ana")
ACK, NOTE = e.IncidentAcknowledged(by="ana"), e.NoteAdded(by="ana", text="x", happened_at=OPENED)


@pytest.mark.parametrize("event", [LEAD, COMMS, ACK, NOTE], ids=lambda event: event.type)
def test_a_signed_act_counts_and_any_other_word_of_it_does_not(event: ActEvent) -> None:
    """Nor another incident's, nor one signed with another key, nor a claim where a proof is required."""
    good = by_key(event)
    assert act_counts(incident(good), good, STRICT)
    changes = {"lead": "eve"}, {"by": "al"}, {"text": "y"}, {"happened_at": OPENED - timedelta(minutes=1)}
    forged = [
        good.model_copy(update=change) for change in changes if set(change) <= set(type(event).model_fields)
    ]
    forged += [
        by_key(event, OTHER),
        by_key(event, of="inc-1"),
        event,
        event.model_copy(update={"identity": CLAIM}),
    ]
    assert [act_counts(incident(each), each, STRICT) for each in forged] == [False] * len(forged)
    assert act_counts(incident(event), event, POLICY)
    assert not act_counts(incident(event), event.model_copy(update={"by": "an\u0430"}), POLICY)


def test_a_signature_of_one_act_is_none_of_another() -> None:
    """To lead is not to lead the communication, though both name the same people."""
    lead = by_key(LEAD)
    comms = e.CommsLeadAssigned(lead="bob", by="ana", identity=lead.identity)
    assert not act_counts(incident(comms), comms, STRICT)


def test_only_an_acknowledgement_of_somebody_who_may_counts() -> None:
    """One that was written past every door keeps nobody from being reminded."""
    good, claim = incident(asked(), by_key(ACK)), incident(asked(), ACK)
    assert gate_is_acknowledged(good, "gate-1", STRICT)
    assert not gate_is_acknowledged(claim, "gate-1", STRICT)
    assert gate_is_acknowledged(claim, "gate-1", POLICY)
    assert not gate_is_acknowledged(incident(ACK, asked()), "gate-1", POLICY)
    assert not gate_is_acknowledged(incident(asked(), ACK, asked(gate="gate-2")), "gate-2", POLICY)


@pytest.mark.parametrize(
    ("before", "event", "so"),
    [
        ([], LEAD, False),
        ([LEAD], LEAD, True),
        ([by_key(LEAD)], by_key(LEAD), True),
        ([LEAD], by_key(LEAD), False),
        ([LEAD, LEAD.model_copy(update={"lead": "ana"})], LEAD, False),
        ([LEAD, COMMS, ACK, NOTE], LEAD, True),
        ([NOTE], NOTE, False),
        ([ACK], ACK, True),
        ([ACK, ACK.model_copy(update={"by": "bob"})], ACK, True),
        ([ACK, asked()], ACK, False),
        ([ACK, e.IncidentEscalated(because="x")], ACK, False),
    ],
)
def test_repeating_an_act_changes_nothing(before: list[e.Event], event: ActEvent, so: bool) -> None:
    """Unless somebody else has acted in between, it is proven now, or there is more to acknowledge."""
    assert is_so_already(incident(*before), event, POLICY) is so


ACTS = st.builds(
    Act,
    kind=st.sampled_from(ActKind),
    name=st.sampled_from(["", "ana", "bob", "an\u0430"]),
    text=st.text(max_size=3),
    at=st.sampled_from(["", "15:05", "16:00"]),
)


@given(wanted=st.lists(st.tuples(ACTS, st.sampled_from(["ana", "bob"]), st.booleans()), max_size=10))
def test_any_order_of_acts_is_journalled_or_refused_and_the_last_assignment_counts(
    wanted: list[tuple[Act, str, bool]],
) -> None:
    """Nothing but a refusal is ever raised, also where the incident is closed in between."""
    journal: list[e.Event] = []
    lead: str | None = None
    for each, by, closes in wanted:
        journal += [CLOSED] if closes else []
        try:
            event = made(each, incident(*journal), by)
        except InvalidAnswer:
            continue
        if not is_so_already(incident(*journal), event, POLICY):
            journal.append(event)
        lead = event.lead if isinstance(event, e.LeadAssigned) else lead
    assert lead_of(incident(*journal)) == lead
