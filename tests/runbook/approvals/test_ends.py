"""What a person may say of the end of an incident, and what the journal then has."""

import pytest

from runbook.approvals.ends import OUTCOMES, NotOpen, merger, reopening, resolution
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from tests.runbook.journals import ALERT, decided, incident, resolved

ANA = Identity(name="ana")
CLOSED = (resolved("recovered"), e.IncidentClosed(outcome="recovered"))


def said(told: Incident, outcome: str = "recovered", because: str = "it works") -> e.IncidentResolved:
    """Ana's word that it is over."""
    return resolution(told, outcome=outcome, because=because, done=" by hand ", by="ana", identity=ANA)


def another(opened: e.IncidentOpened, *events: e.Event) -> Incident:
    """Another incident than that of the samples."""
    journal = [
        e.Recorded(seq=number, at=incident().opened_at, event=event)
        for number, event in enumerate((opened, *events))
    ]
    return Incident.from_events("inc-20261122-1600", journal)


OPENED = e.IncidentOpened(alert=ALERT)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_person_ends_an_incident_in_their_words(outcome: str) -> None:
    """With the outcome, the reason, and what was done by hand."""
    event = said(incident(decided()), outcome)
    assert event == e.IncidentResolved(
        outcome=OUTCOMES[outcome], because=("it works",), by="ana", identity=ANA, done="by hand"
    )
    ended = incident(decided(), event)
    assert (ended.state, ended.outcome) == (State.RESOLVED, OUTCOMES[outcome])


@pytest.mark.parametrize(
    ("outcome", "because", "why"),
    [("recovered", " \n", "the reason is empty"), ("unknown", "x", "the outcome is one of")],
)
def test_an_end_needs_an_outcome_and_a_reason(outcome: str, because: str, why: str) -> None:
    """Only a person may end what the checks have not shown to be over, and says why."""
    with pytest.raises(InvalidAnswer, match=why):
        said(incident(), outcome, because)


def test_the_first_end_stands() -> None:
    """The same may be said again; another end may not."""
    first = said(incident())
    assert said(incident(first)) == first
    with pytest.raises(NotOpen, match="has ended"):
        said(incident(first), "false-positive")


def test_an_incident_is_merged_into_an_open_one() -> None:
    """It has ended then, and says where it goes on."""
    event = merger(incident(), another(OPENED), because=" one deploy ", by="ana", identity=ANA)
    assert (event.into, event.because) == ("inc-20261122-1600", "one deploy")
    ended = incident(event)
    assert (ended.state, ended.outcome) == (State.RESOLVED, IncidentOutcome.MERGED)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (incident(), "into itself"),
        (another(OPENED, *CLOSED), "has ended"),
        (another(OPENED.model_copy(update={"dry_run": True})), "a rehearsal"),
        (
            another(OPENED.model_copy(update={"environment": "staging"})),
            "to staging: incidents of two environments are not merged; note in each",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused(target: Incident, why: str) -> None:
    """An incident has one end, and it is where somebody works on it."""
    with pytest.raises(InvalidAnswer, match=why):
        merger(incident(), target, because="", by="ana", identity=ANA)


def test_a_closed_incident_goes_on_as_often_as_it_is_reopened() -> None:
    """Under its number: each end and each reopening has a key of its own."""
    told, keys = incident(decided(), *CLOSED), []
    for number in (1, 2):
        event = reopening(told, because="again", by="ana", identity=ANA)
        assert event.reopened == number
        end = resolved("recovered").model_copy(update={"reopened": number})
        closing = e.IncidentClosed(outcome="recovered", reopened=number)
        keys += [event.journal_key, end.journal_key, closing.journal_key]
        events = [item.event for item in told.journal[1:]]
        assert incident(*events, event).state is State.INVESTIGATING
        told = incident(*events, event, end, closing)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("told", "why"), [(incident(), "is open"), (incident(resolved("recovered")), "is being closed")]
)
def test_only_a_closed_incident_is_reopened(told: Incident, why: str) -> None:
    """One that is being closed first comes to its end."""
    with pytest.raises(InvalidAnswer, match=why):
        reopening(told, because="again", by="ana", identity=ANA)
