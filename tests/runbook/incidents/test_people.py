"""Who leads an incident, who has acknowledged it and what they noted follows from the journal."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity
from runbook.clocks.response import response_clock
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.people import acknowledged_by, comms_lead_of, lead_of, notes_of
from runbook.incidents.summary import everything
from runbook.incidents.timeline import in_order, timeline
from runbook.policy.policy import Policy
from tests.runbook.journals import OPENED, decided, incident

WHO = st.sampled_from(["ana", "bob", "cyd"])
TIMES = st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=1)).map(lambda after: OPENED + after)
ACTS: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(e.LeadAssigned, lead=WHO, by=WHO, identity=st.none()),
    st.builds(e.CommsLeadAssigned, lead=WHO, by=WHO, identity=st.none()),
    st.builds(e.IncidentAcknowledged, by=WHO, identity=st.none()),
    st.builds(e.NoteAdded, by=WHO, text=st.text(max_size=5), identity=st.none(), happened_at=TIMES),
    st.just(e.IncidentClosed(outcome="recovered")),
)


@given(acts=st.lists(ACTS, max_size=12))
def test_in_any_order_of_acts_the_last_assignment_counts(acts: list[e.Event]) -> None:
    """Every view of it can be made, and each event and note stands in the timeline once."""
    told = incident(*acts)
    leads = [act.lead for act in acts if isinstance(act, e.LeadAssigned)]
    comms = [act.lead for act in acts if isinstance(act, e.CommsLeadAssigned)]
    seen = [act.by for act in acts if isinstance(act, e.IncidentAcknowledged)]
    assert lead_of(told) == (leads[-1] if leads else None)
    assert comms_lead_of(told) == (comms[-1] if comms else None)
    assert (set(acknowledged_by(told)), len(acknowledged_by(told))) == (set(seen), len(set(seen)))
    assert everything(told, Policy())["lead"] == lead_of(told)
    assert len(timeline(told)) == len(acts) + 1
    assert sorted(item.seq for item in in_order(told.journal)) == [item.seq for item in told.journal]
    assert len(notes_of(told)) == sum(isinstance(act, e.NoteAdded) for act in acts)


def test_a_note_of_an_earlier_release_is_read() -> None:
    """It says neither how it is known who wrote it nor when it happened."""
    read = e.EVENT.validate_json('{"type": "NoteAdded", "by": "ana", "text": "x"}')
    assert read == e.NoteAdded(by="ana", text="x", identity=None, happened_at=None)


def test_the_time_of_a_note_has_a_zone() -> None:
    """It is kept in UTC; without a zone nobody knows when it was."""
    west = timezone(timedelta(hours=-5))
    kept = e.NoteAdded(by="ana", text="x", happened_at=datetime(2026, 11, 22, 10, tzinfo=west)).happened_at
    assert kept is not None
    assert (kept, kept.tzinfo) == (OPENED, UTC)
    with pytest.raises(ValidationError, match="needs a time zone"):
        e.NoteAdded(by="ana", text="x", happened_at=datetime(2026, 11, 22, 10))  # noqa: DTZ001


def answered(**said: object) -> e.ApprovalAnswered:
    """An answer."""
    answer = Answer.model_validate({"choice": Choice.APPROVE, "approver": "ana"} | said)
    return e.ApprovalAnswered(gate="g-1", action_id="1", plan_digest="1" * 64, answer=answer)


BY_ANA = Identity(name="ana")


@pytest.mark.parametrize(
    ("event", "acted"),
    [
        (answered(), True),
        (answered(channel="policy", approver="policy:preapproved"), False),
        (e.NoteAdded(by="ana", text="x", identity=BY_ANA), True),
        (e.NoteAdded(by="clean-up", text="x"), False),
        (e.LeadAssigned(lead="ana", by="ana"), True),
        (e.CommsLeadAssigned(lead="ana", by="bob"), True),
        (e.IncidentAcknowledged(by="ana"), True),
        (e.SeverityOverridden(assessment=SeverityAssessment(severity=Severity.P2, because="x")), True),
        (e.ResponseResumed(by="ana", done=""), True),
        (e.IncidentEscalated(because="x"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, e.JournalEvent) else str(value),
)
def test_the_first_act_of_a_person_is_a_response(event: e.Event, acted: bool) -> None:
    """It meets the response target; what the runbook does itself, such as its verdict, does not."""
    told = incident(event, decided())
    clock = response_clock(told, Policy())
    assert clock.met_at == (OPENED + timedelta(seconds=30) if acted else None)
    assert clock.verdict_at == OPENED + timedelta(seconds=60)
