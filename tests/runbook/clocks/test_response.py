"""The response clock: a person has to do something in time, and the runbook's verdict is no person."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity
from runbook.clocks.response import ResponseState, response_clock, response_words
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, OPENED, decided, decision, incident

POLICY = Policy()
MINUTE = timedelta(minutes=1)
ANSWER = Answer(choice=Choice.SNOOZE, approver="ana")
ACKED = e.IncidentAcknowledged(by="ana")
UNSURE = decided(decision(verdict=Verdict.UNKNOWN))
OVER = e.IncidentResolved(outcome="recovered", because=())


def rated(severity: Severity) -> e.SeverityOverridden:
    """A person's severity."""
    return e.SeverityOverridden(assessment=SeverityAssessment(severity=severity, because="x", by="ana"))


@pytest.mark.parametrize(
    ("events", "minutes", "state"),
    [
        pytest.param((decided(),), 11, ResponseState.RUNNING, id="a verdict stops nothing"),
        pytest.param((decided(),), 12, ResponseState.NEARING, id="80 % are gone"),
        pytest.param((decided(),), 14.9, ResponseState.NEARING, id="not yet"),
        pytest.param((decided(),), 15, ResponseState.MISSED, id="nobody came"),
        pytest.param((decided(), ACKED), 99, ResponseState.MET, id="acknowledged"),
        pytest.param((decided(), e.LeadAssigned(lead="b", by="ana")), 99, ResponseState.MET, id="led"),
        pytest.param(
            (decided(), e.UpdateRequested(by="ana")), 99, ResponseState.MET, id="an update is asked"
        ),
        pytest.param(
            (decided(), e.NoteAdded(by="ana", text="x", identity=Identity(name="ana"))),
            99,
            ResponseState.MET,
            id="a note",
        ),
        pytest.param(
            (decided(), e.ApprovalAnswered(gate="g", action_id="1", plan_digest="1" * 64, answer=ANSWER)),
            99,
            ResponseState.MET,
            id="an answer, also a not yet",
        ),
        pytest.param((decided(), rated(Severity.P1)), 99, ResponseState.MET, id="rated"),
        pytest.param((decided(), e.NoteAdded(by="clean-up", text="x")), 15, ResponseState.MISSED, id="ours"),
        pytest.param((decided(), OVER), 99, ResponseState.NOT_NEEDED, id="over before"),
    ],
)
def test_the_clock_stops_with_the_first_act_of_a_person(
    events: tuple[e.Event, ...], minutes: float, state: ResponseState
) -> None:
    """Whatever it is that they do; what the runbook does itself stops nothing."""
    clock = response_clock(incident(*events), POLICY)
    assert clock.state(OPENED + minutes * MINUTE) is state


@pytest.mark.parametrize(
    ("step", "state"), [(7, ResponseState.MET), (7.5, ResponseState.MET), (8, ResponseState.LATE)]
)
def test_whoever_comes_too_late_is_late_for_good(step: float, state: ResponseState) -> None:
    """In the very minute is in time."""
    clock = response_clock(incident(decided(), ACKED, OVER, step=step * MINUTE), POLICY)
    assert clock.state(OPENED + 99 * MINUTE) is state


def test_an_end_after_the_time_does_not_excuse_that_nobody_came() -> None:
    """It was missed while the incident went on."""
    clock = response_clock(incident(decided(), OVER, step=8 * MINUTE), POLICY)
    assert clock.state(OPENED + 99 * MINUTE) is ResponseState.MISSED


@pytest.mark.parametrize(
    ("severity", "opened", "due"),
    [
        (Severity.P1, "2026-11-20T18:00", "2026-11-20T18:15"),
        (Severity.P2, "2026-11-20T18:00", "2026-11-20T19:00"),
        (Severity.P3, "2026-11-20T18:00", "2026-11-20T22:00"),
        (Severity.P4, "2026-11-20T18:00", "2026-11-23T16:00"),
        (Severity.P4, "2026-03-27T12:00", "2026-03-30T15:00"),  # the clocks in Berlin go forward between
        (Severity.P4, "2026-10-23T12:00", "2026-10-26T16:00"),  # and back
    ],
)
def test_the_time_follows_from_the_severity(severity: Severity, opened: str, due: str) -> None:
    """The next business day is one of the policy's calendar, on the clocks of its zone."""
    policy = Policy.model_validate({"calendar": {"time_zone": "Europe/Berlin"}})
    at = datetime.fromisoformat(opened).replace(tzinfo=UTC)
    events: list[e.Event] = [e.IncidentOpened(alert=ALERT), decided(decision(severity=severity))]
    journal = Incident.from_events(
        "inc-1", [e.Recorded(seq=seq, at=at, event=event) for seq, event in enumerate(events)]
    )
    assert response_clock(journal, policy).due_at == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_another_severity_moves_the_end_and_the_policy_says_how_far() -> None:
    """Before anybody has rated it, the alert's own severity counts."""
    policy = Policy(response_minutes={Severity.P1: 5, Severity.P2: 90})
    assert response_clock(incident(), policy).due_at == OPENED + 90 * MINUTE
    assert response_clock(incident(decided()), policy).due_at == OPENED + 5 * MINUTE
    assert response_clock(incident(), policy).within == "90 min"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.4, "24 s"), (1, "1 min"), (1.5, "1.5 min"), (15, "15 min"), (60, "1 h"), (90, "90 min")],
)
def test_a_response_time_is_told_in_the_unit_that_suits_it(minutes: float, words: str) -> None:
    """A drill's clock ends within seconds; a real one has minutes or hours."""
    assert Policy(response_minutes={Severity.P2: minutes}).response_within(Severity.P2) == words


def test_who_may_not_act_has_not_responded() -> None:
    """A line that somebody has written into the store under a look-alike name stops no page."""
    clock = response_clock(incident(decided(), e.IncidentAcknowledged(by="an\u0430")), POLICY)
    assert clock.met_at is None


def test_whoever_opens_an_incident_by_hand_has_responded() -> None:
    """There is a person already."""
    alert = ALERT.model_copy(update={"source": "person", "requested_by": "ana"})
    clock = response_clock(incident(alert=alert), POLICY)
    assert (clock.met_at, clock.met_by) == (OPENED, "ana")


@pytest.mark.parametrize(
    ("events", "minutes", "words"),
    [
        ((), 1, "No verdict yet; no person yet: one is due by 16:00 UTC (1 h)"),
        ((decided(),), 1, "Verdict after 4 min 0 s; no person yet: one is due by 15:15 UTC (15 min)"),
        ((decided(),), 15, "Verdict after 4 min 0 s; no person yet, late: one was due by 15:15 UTC (15 min)"),
        ((UNSURE,), 1, "Unknown verdict after 4 min 0 s; no person yet: one is due by 15:15 UTC (15 min)"),
        ((UNSURE, decided()), 1, "Verdict after 8 min 0 s; no person yet: one is due by 15:15 UTC (15 min)"),
        ((decided(), ACKED), 20, "Verdict after 4 min 0 s; first person after 8 min 0 s of 15 min (ana)"),
        ((decided(), OVER), 20, "Verdict after 4 min 0 s; it was over before a person was due (15 min)"),
    ],
)
def test_the_verdict_is_told_beside_the_person(
    events: tuple[e.Event, ...], minutes: float, words: str
) -> None:
    """Never as one; and in words that only change with what happens, or at the end of the clock."""
    clock = response_clock(incident(*events, step=4 * MINUTE), POLICY)
    assert response_words(clock, OPENED + minutes * MINUTE) == words
