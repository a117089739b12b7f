"""A state that a person says before it is proved is told as their word, until the runbook knows better."""

from datetime import timedelta

import pytest

from runbook.approvals.acts import Act, ActKind, ActOnClosed, event_of, is_so_already
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule
from runbook.channels.cards.root import root_card
from runbook.channels.cards.slack_blocks import blocks_of
from runbook.channels.impact import internal_impact, is_proved
from runbook.channels.messages import in_slack, message_facts, update_message
from runbook.channels.told_state import forced_state, told_instead, told_state, was_told
from runbook.channels.updates import asked_update
from runbook.decision.verdict import Verdict
from runbook.handover.packet import packet_markdown, packet_of
from runbook.incidents import events as e
from runbook.incidents.sentences import sentence
from runbook.incidents.state import State
from runbook.incidents.summary import everything
from runbook.policy.policy import Policy
from runbook.public.publishing import is_public
from runbook.public.refreshing import due_refreshes
from runbook.support.facts import support_facts
from runbook.support.page import support_page
from tests.runbook.journals import OPENED, decided, decision, incident
from tests.runbook.public_texts import PROPOSED

ME = Identity(name="ana")
UNSURE = decided(decision(verdict=Verdict.UNKNOWN))
SAID = e.StateForced(state="MONITORING", by="ana", because="they rolled back", identity=ME)
WORD = "MONITORING is said by ana: they rolled back; not proved by the runbook"
POLICY = Policy()
LISTED = Policy(people={"ana": Person(), "eve": Person()}, acts=ActRule(approvers=("ana",)))
LATER = OPENED + timedelta(hours=1)
PAGE = "status-page"


def said(*before: e.Event, **says: str) -> e.Event:
    """What the act is in the journal."""
    act = Act.model_validate(
        {"kind": ActKind.STATE, "state": "monitoring", "text": "they rolled back"} | says
    )
    return event_of(act, incident(*before), by="ana", identity=ME, policy=POLICY, now=OPENED)


def test_a_state_is_said_by_name_and_with_a_reason() -> None:
    """The timeline has it as a claim that nothing has proved."""
    assert said(UNSURE) == SAID
    assert sentence(SAID) == (
        "ana (unproven claim) said MONITORING, not proved by the runbook: they rolled back"
    )
    identified = said(UNSURE, state=" Identified ")
    assert isinstance(identified, e.StateForced)
    assert identified.state == "IDENTIFIED"


@pytest.mark.parametrize(
    ("before", "says", "why"),
    [
        ((UNSURE,), {"state": "resolved"}, "identified or monitoring, not 'resolved'.*runbook resolve"),
        ((UNSURE,), {"text": "  "}, "the reason is empty"),
        ((UNSURE,), {"text": "x" * 4001}, "at most 4000"),
        ((decided(),), {"state": "identified"}, "the runbook says IDENTIFIED itself"),
        ((UNSURE, e.IncidentResolved(outcome="recovered", because=())), {}, "has ended"),
    ],
)
def test_what_need_not_or_cannot_be_said_is_refused(
    before: tuple[e.Event, ...], says: dict[str, str], why: str
) -> None:
    """That it is over has a command of its own."""
    with pytest.raises(InvalidAnswer, match=why):
        said(*before, **says)
    with pytest.raises(ActOnClosed):
        said(UNSURE, e.IncidentClosed(outcome="recovered"))


def test_each_message_says_whose_word_it_is() -> None:
    """Also where a team has templates of its own: it is part of the impact."""
    told = incident(UNSURE, SAID)
    assert (told_state(told, POLICY), told.state, is_proved(told, POLICY)) == (
        State.MONITORING,
        State.INVESTIGATING,
        False,
    )
    assert internal_impact(told, POLICY).endswith(WORD)
    facts = message_facts(
        told,
        state=told_state(told, POLICY),
        policy=Policy(),
        now=LATER,
        commander="",
        update_interval=timedelta(hours=1),
    )
    assert WORD in str(in_slack(update_message(facts)))
    card = root_card(told, channel="slack", policy=POLICY, now=LATER, link="")
    assert card.values["state"] == "MONITORING (not proved by the runbook)"
    assert WORD in str(in_slack(card))
    assert any("a person says so" in each for each in support_facts(facts).do_not_tell)


@pytest.mark.parametrize(
    ("after", "state"),
    [
        ((), State.MONITORING),
        ((e.NoteAdded(by="ana", text="x"),), State.MONITORING),
        ((SAID.model_copy(update={"state": "IDENTIFIED"}),), State.IDENTIFIED),
        ((decided(),), State.IDENTIFIED),
        ((UNSURE,), State.INVESTIGATING),
        ((e.FactsChanged(round=2, because=("x",)),), State.INVESTIGATING),
        ((e.IncidentResolved(outcome="recovered", because=()),), State.RESOLVED),
    ],
    ids=["at once", "later", "another word", "a verdict", "decided anew", "new facts", "over"],
)
def test_a_word_holds_until_the_runbook_knows_better(after: tuple[e.Event, ...], state: State) -> None:
    """The newest one; where the runbook is as far itself, it says so without a name."""
    told = incident(UNSURE, SAID, *after)
    assert told_state(told, POLICY) is state
    assert (forced_state(told, POLICY) is None) is (told.state.told is state)
    assert is_proved(told, POLICY) is (forced_state(told, POLICY) is None)


@pytest.mark.parametrize(
    ("stranger", "policy"),
    [
        (SAID.model_copy(update={"by": "an\u0430"}), POLICY),
        (SAID.model_copy(update={"by": "eve"}), LISTED),
        (SAID, LISTED.model_copy(update={"acts": ActRule(approvers=("ana",), accept_unverified=False)})),
    ],
    ids=["a name that hides what it is", "not listed", "not proven"],
)
def test_the_word_of_somebody_who_may_not_is_told_nobody(stranger: e.StateForced, policy: Policy) -> None:
    """It was written past every door, or the right was taken away: what is proved is told everywhere."""
    told = incident(UNSURE, stranger)
    assert (told_state(told, policy), told_instead(told, policy)) == (State.INVESTIGATING, "")
    assert is_proved(told, policy)
    assert internal_impact(told, policy) == internal_impact(incident(UNSURE), policy)
    assert not is_public(told, PAGE, policy)
    assert support_page(told, policy, now=LATER).facts.state is State.INVESTIGATING
    told_by, without = (
        str(in_slack(root_card(each, channel="slack", policy=policy, now=LATER, link="")))
        for each in (told, incident(UNSURE))
    )
    assert told_by == without
    assert "MONITORING" not in packet_markdown(packet_of(told, policy, now=LATER))
    assert everything(told, policy)["told"] is None


def test_it_hides_no_word_of_somebody_who_may() -> None:
    """The newest one that counts is told."""
    stranger = SAID.model_copy(update={"by": "eve", "state": "IDENTIFIED"})
    assert forced_state(incident(UNSURE, SAID, stranger), LISTED) == SAID
    assert everything(incident(UNSURE, SAID, stranger), LISTED)["told"] == f"MONITORING, {WORD[14:]}"


@pytest.mark.parametrize("after", [UNSURE, e.IncidentReopened(because="again", reopened=1)])
def test_the_same_word_is_new_once_it_holds_no_more(after: e.Event) -> None:
    """Else whoever says it again would hear that it was so already, and nobody would be told."""
    assert is_so_already(incident(UNSURE, SAID), SAID, POLICY)
    assert not is_so_already(incident(UNSURE, SAID, after), SAID, POLICY)


def test_a_word_that_does_not_count_hides_no_act() -> None:
    """One that was written past every door, in the name of somebody who then says the same."""
    strict = LISTED.model_copy(update={"acts": ActRule(approvers=("ana",), accept_unverified=False)})
    planted = SAID.model_copy(update={"identity": Identity(name="ana", how=Proof.SIGNING_KEY)})
    assert not is_so_already(incident(UNSURE, planted), planted, strict)


def test_a_long_reason_leaves_room_for_the_rest() -> None:
    """The timeline has all of it; a message says its beginning, and always that it is not proved."""
    long = SAID.model_copy(update={"because": "<!channel>\n*&*" * 280})
    told = incident(UNSURE, long)
    assert len(told_instead(told, POLICY)) < 600
    assert told_instead(told, POLICY).endswith("…; not proved by the runbook")
    assert "\n" not in told_instead(told, POLICY)
    card = root_card(told, channel="slack", policy=POLICY, now=LATER, link="")
    text = in_slack(card)
    assert "<!channel>" not in text
    shown = str(blocks_of(text, card.buttons))
    assert "Incident commander" in shown
    assert "(cut" not in shown


def test_colleagues_are_told_of_it_at_once() -> None:
    """As of an update that somebody asks for; not by somebody who may not."""
    due = asked_update(incident(UNSURE, SAID), channels=["slack"], policy=POLICY)
    assert (due and due.request) == SAID
    announced = e.StatusAnnounced(channel="slack", state="MONITORING")
    assert asked_update(incident(UNSURE, SAID, announced), channels=["slack"], policy=POLICY) is None
    stranger = SAID.model_copy(update={"by": "an\u0430"})
    assert asked_update(incident(UNSURE, stranger), channels=["slack"], policy=POLICY) is None


def test_the_public_hears_of_it_through_the_gate_once() -> None:
    """Also without a verdict, which the person's word stands in for; never by who may not."""

    def due(*events: e.Event) -> list[tuple[str, str]]:
        found = due_refreshes(incident(*events), channels=[PAGE], policy=POLICY, now=LATER)
        return [(it.channel, it.state) for it in found]

    assert not is_public(incident(UNSURE), PAGE, POLICY)
    assert is_public(incident(UNSURE, SAID), PAGE, POLICY)
    assert due(UNSURE) == []
    assert due(UNSURE, SAID) == [(PAGE, "MONITORING")]
    waits = PROPOSED.model_copy(update={"channel": PAGE, "state": "MONITORING", "message": "monitoring"})
    refused = e.PublicTextRefused(channel=PAGE, state="MONITORING", because=("x",))
    for heard in (waits, refused, e.StatusAnnounced(channel=PAGE, state="MONITORING")):
        assert due(UNSURE, SAID, heard) == []
    assert due(UNSURE, SAID.model_copy(update={"by": "an\u0430"})) == []


def heard(state: str, *, by_word: bool = False) -> e.StatusAnnounced:
    """That the team was told a state."""
    return e.StatusAnnounced(channel="slack", state=state, by_word=by_word)


WATCHED = heard("MONITORING", by_word=True)
PROVED = (decided(), heard("IDENTIFIED"), SAID, WATCHED)


FORGED = SAID.model_copy(update={"by": "an\u0430"})
"""A word in the name of somebody who is not known: the letter is a Cyrillic one."""


@pytest.mark.parametrize(
    ("events", "state", "told"),
    [
        (PROVED, State.IDENTIFIED, True),
        ((*PROVED, decided()), State.IDENTIFIED, False),
        ((*PROVED, decided()), State.INVESTIGATING, False),
        ((*PROVED, decided(), FORGED), State.INVESTIGATING, False),
        ((*PROVED, decided(), heard("IDENTIFIED")), State.IDENTIFIED, True),
        ((*PROVED, decided(), heard("IDENTIFIED")), State.MONITORING, False),
        ((*PROVED, decided(), SAID, WATCHED), State.IDENTIFIED, True),
        ((*PROVED, decided(), heard("MONITORING")), State.IDENTIFIED, True),
        ((UNSURE, heard("INVESTIGATING"), SAID, WATCHED, UNSURE), State.INVESTIGATING, False),
        ((UNSURE, heard("INVESTIGATING"), SAID, WATCHED), State.INVESTIGATING, True),
        ((decided(), heard("IDENTIFIED"), heard("MONITORING"), decided()), State.IDENTIFIED, True),
    ],
    ids=[
        *("the word holds", "decided anew", "decided to be unsure", "a forged word since", "told once"),
        "then it is proved",
        *("said anew", "proved since", "unsure as before", "unsure and said", "nobody has said anything"),
    ],
)
def test_a_decision_after_a_word_is_told_though_that_state_was_told_before(
    events: tuple[e.Event, ...], state: State, told: bool
) -> None:
    """Whoever has read MONITORING last would go on believing it."""
    assert was_told(incident(*events), "slack", state, Policy()) is told


ON_PAGE = (decided(), e.StatusAnnounced(channel=PAGE, state="IDENTIFIED"))
WORD_ON_PAGE = (*ON_PAGE, SAID, e.StatusAnnounced(channel=PAGE, state="MONITORING"))
ASKED = PROPOSED.model_copy(
    update={"channel": PAGE, "state": "IDENTIFIED", "message": "identified-refreshed-9"}
)
REFUSED = e.PublicTextRefused(channel=PAGE, state="IDENTIFIED", because=("x",))


@pytest.mark.parametrize(
    ("events", "due"),
    [
        (WORD_ON_PAGE, False),
        ((*WORD_ON_PAGE, decided()), True),
        ((*WORD_ON_PAGE, decided(), ASKED), False),
        ((*WORD_ON_PAGE, decided(), REFUSED), False),
        ((*WORD_ON_PAGE, decided(), e.StatusAnnounced(channel=PAGE, state="IDENTIFIED")), False),
        ((*ON_PAGE, e.StatusAnnounced(channel=PAGE, state="MONITORING"), decided()), False),
    ],
    ids=["the word holds", "decided anew", "asked", "refused", "corrected", "it was no word"],
)
def test_the_page_is_corrected_at_once_where_the_runbook_decides_otherwise(
    events: tuple[e.Event, ...], due: bool
) -> None:
    """Not only at its next refresh, which may be hours away; a person is asked about it once."""
    found = due_refreshes(
        incident(*events), channels=[PAGE], policy=POLICY, now=OPENED + timedelta(minutes=9)
    )
    assert bool(found) is due
