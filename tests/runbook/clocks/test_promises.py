"""Promised updates and the response are clocks: people are told before the end, and paged after it, once."""

from datetime import timedelta

import pytest

from runbook.clocks.promises import DueClock, due_clocks
from runbook.clocks.wording import clock_escalation, clock_message, clock_reason
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.policy.policy import Policy
from tests.runbook.journals import asked, decided
from tests.runbook.public_texts import PROPOSED
from tests.runbook.timed_journals import ASKED_AT, Timed, journal

POLICY = Policy()
MINUTE = 60.0
NEXT = ASKED_AT + timedelta(minutes=30)
TOLD = e.StatusAnnounced(channel="slack", state="IDENTIFIED", next_update_at=NEXT)
PUBLIC = e.StatusAnnounced(channel="statuspage", state="IDENTIFIED")
REFRESHED = e.EffectSettled(
    effect=Effect(
        id="inc-1/statuspage/identified-refreshed-2",
        kind="statuspage",
        target="statuspage",
        summary="",
        authority=Authority.policy("publish_from"),
        outcome=EffectOutcome.APPLIED,
    )
)
"""A refresh whose process died before it journalled the announcement."""


def written(status: str = "identified") -> e.PublicUpdateSeen:
    """What a person wrote in our public entry."""
    return e.PublicUpdateSeen(channel="statuspage", reference="1", status=status, text="We are on it.")


ACKED = e.IncidentAcknowledged(by="ana")
STRANGER = e.IncidentAcknowledged(by="an\u0430")
OVER = e.IncidentResolved(outcome="recovered", because=())
TEAM, RESPONSE, EVERYBODY = (
    e.ClockName.TEAM_UPDATE,
    e.ClockName.RESPONSE,
    e.ClockName.PUBLIC_UPDATE,
)


def due(minutes: float, *events: Timed) -> list[tuple[e.ClockName, bool]]:
    """What is due so many minutes after `ASKED_AT`: the clock, and whether it was missed."""
    return [(it.clock, it.missed) for it in steps(minutes, *events)]


def steps(minutes: float, *events: Timed) -> list[DueClock]:
    """The same, whole."""
    now = ASKED_AT + timedelta(minutes=minutes)
    return due_clocks(journal(*events), team=["slack"], public=["statuspage"], policy=POLICY, now=now)


def reminded(clock: e.ClockName, *, missed: bool = False) -> e.ClockReminded:
    """That people were told."""
    return e.ClockReminded(clock=clock, due_at=NEXT, missed=missed)


GATE = asked().gate
WITHDRAWN = e.ApprovalWithdrawn(gate=GATE, action_id=asked().action_id, because="x")
UNANSWERED: tuple[Timed, ...] = ((0, decided()), (1, asked()))
QUESTION: tuple[Timed, ...] = ((0, ACKED), (0, TOLD), (1, asked()))


NEXT_STATE = PROPOSED.model_copy(
    update={"channel": "statuspage", "state": "MONITORING", "message": "monitoring"}
)
ASKED_AGAIN = NEXT_STATE.model_copy(update={"message": "identified-refreshed-2"})
YES_TO_IT = e.PublicTextApproved(proposal=NEXT_STATE.digest, by="ana")
PAGED = ASKED_AT + timedelta(hours=1, seconds=POLICY.escalate_after_seconds)
SEEN: tuple[Timed, ...] = ((0, decided()), (1, ACKED), (0, PUBLIC))
UNREAD: tuple[Timed, ...] = (
    *SEEN,
    (60 * MINUTE, NEXT_STATE),
    (70 * MINUTE, e.ClockReminded(clock=e.ClockName.PUBLIC_TEXT, due_at=PAGED, missed=True)),
)
SOON_DUE = e.ClockReminded(clock=EVERYBODY, due_at=ASKED_AT + timedelta(hours=6))


@pytest.mark.parametrize(
    ("minutes", "events", "expected"),
    [
        pytest.param(23.9, QUESTION, [], id="there is time"),
        pytest.param(24, QUESTION, [(TEAM, False)], id="80 % are gone"),
        pytest.param(30, QUESTION, [(TEAM, True)], id="it was not told"),
        pytest.param(29, (*QUESTION, (24 * MINUTE, reminded(TEAM))), [], id="told of once"),
        pytest.param(30, (*QUESTION, (24 * MINUTE, reminded(TEAM))), [(TEAM, True)], id="then paged"),
        pytest.param(99, (*QUESTION, (30 * MINUTE, reminded(TEAM, missed=True))), [], id="paged once"),
        pytest.param(30, (*QUESTION, (25 * MINUTE, ACKED)), [], id="somebody knows of it"),
        pytest.param(30, (*QUESTION, (20 * MINUTE, ACKED)), [(TEAM, True)], id="of another one"),
        pytest.param(30, (*QUESTION, (25 * MINUTE, e.UpdateRequested(by="ana"))), [], id="it is asked for"),
        pytest.param(
            30,
            (*QUESTION, (25 * MINUTE, STRANGER)),
            [(TEAM, True)],
            id="who may not",
        ),
        pytest.param(
            30,
            (*QUESTION, (26 * MINUTE, TOLD.model_copy(update={"next_update_at": NEXT + timedelta(hours=1)}))),
            [],
            id="it was told",
        ),
        pytest.param(31, ((0, ACKED), (0, TOLD)), [], id="the response tells it at its next look"),
        pytest.param(32, ((0, ACKED), (0, TOLD)), [(TEAM, True)], id="it did not"),
        pytest.param(99, (*QUESTION, (2, OVER)), [], id="it is over"),
        pytest.param(288, ((0, ACKED), (0, PUBLIC)), [], id="its refresh comes by itself"),
        pytest.param(374, ((0, ACKED), (0, PUBLIC)), [], id="it may be a little late"),
        pytest.param(375, ((0, ACKED), (0, PUBLIC)), [(EVERYBODY, True)], id="the public was left alone"),
        pytest.param(287, UNREAD, [], id="a text waits, there is time"),
        pytest.param(288, UNREAD, [(EVERYBODY, False)], id="a text waits, it nears"),
        pytest.param(300, (*UNREAD, (289 * MINUTE, SOON_DUE)), [], id="the lead was reminded once"),
        pytest.param(
            360, (*UNREAD, (289 * MINUTE, SOON_DUE)), [(EVERYBODY, True)], id="then a person is paged"
        ),
        pytest.param(360, (*UNREAD, (290 * MINUTE, ACKED)), [], id="somebody knows of the text"),
        pytest.param(300, (*UNREAD, (99 * MINUTE, YES_TO_IT)), [], id="the text was let out"),
        pytest.param(359, (*SEEN, (355 * MINUTE, ASKED_AGAIN)), [], id="a refresh is asked about by itself"),
        pytest.param(375, ((0, ACKED), (0, PUBLIC), (200 * MINUTE, REFRESHED)), [], id="it was refreshed"),
        pytest.param(375, ((0, ACKED), (0, PUBLIC), (200 * MINUTE, written())), [], id="by a person"),
        pytest.param(999, ((0, ACKED), (0, PUBLIC), (9, written("resolved"))), [], id="a person ended it"),
    ],
)
def test_each_step_of_an_update_is_due_once(
    minutes: float, events: tuple[Timed, ...], expected: list[tuple[e.ClockName, bool]]
) -> None:
    """Until it is told, somebody who may knows of it, or it is over."""
    assert due(minutes, *events) == expected


WAITS = ((0, decided()), (1, ACKED), (0, PROPOSED))
YES = e.PublicTextApproved(proposal=PROPOSED.digest, by="ana")
REFRESH = PROPOSED.model_copy(update={"message": "identified-refreshed-2"})
IT_IS_OVER = PROPOSED.model_copy(update={"state": "RESOLVED", "message": "resolved"})
ENDED = (
    *((0, decided()), (0, PUBLIC.model_copy(update={"channel": "status-page"}))),
    *((0, OVER), (0, IT_IS_OVER), (1, e.IncidentClosed(outcome="recovered"))),
)
TEXT, DAY = e.ClockName.PUBLIC_TEXT, 24 * 60


@pytest.mark.parametrize(
    ("minutes", "events", "expected"),
    [
        (4.9, WAITS, []),
        (5, WAITS, [(TEXT, False)]),
        (15, WAITS, [(TEXT, True)]),
        pytest.param(15, (*WAITS, (6 * MINUTE, ACKED)), [], id="somebody knows of it"),
        pytest.param(99, (*WAITS, (9, YES)), [], id="it is answered"),
        pytest.param(99, (*WAITS, (9, OVER)), [], id="it is over"),
        pytest.param(15, (*WAITS[:2], (0, REFRESH)), [(TEXT, False)], id="the promised update pages"),
        (4.9, ENDED, []),
        (5, ENDED, [(TEXT, False)]),
        pytest.param(DAY, ENDED, [(TEXT, False)], id="nobody is paged after the end"),
    ],
)
def test_a_text_that_waits_is_reminded_of_and_paged_for(
    minutes: float, events: tuple[Timed, ...], expected: list[tuple[e.ClockName, bool]]
) -> None:
    """As an unanswered question is, after which another clock does not page as well."""
    rules = Policy(remind_after_seconds=300, escalate_after_seconds=900)
    now = ASKED_AT + timedelta(minutes=minutes)
    found = due_clocks(journal(*events), team=[], public=[], policy=rules, now=now)
    assert [(it.clock, it.missed) for it in found if it.clock is TEXT] == expected


def test_people_are_reminded_once_a_day_that_the_page_is_not_told_of_the_end() -> None:
    """Each day is another promise."""

    def at(minutes: float, *told: Timed) -> list[DueClock]:
        now = ASKED_AT + timedelta(minutes=minutes)
        found = journal(*ENDED, *told)
        rules = Policy(remind_after_seconds=300)
        return due_clocks(found, team=[], public=[], policy=rules, now=now)

    [first] = at(5)
    assert at(DAY, (5 * MINUTE, first.event)) == []
    [next_day] = at(DAY + 5, (5 * MINUTE, first.event))
    assert next_day.due_at - first.due_at == timedelta(days=1)
    said = clock_message(journal(*ENDED), next_day.event, lead="", link="", time_zone="UTC").values["text"]
    assert "the status page still shows the incident" in str(said)
    assert f"runbook publish inc-1 --proposal {IT_IS_OVER.digest[:12]}" in str(said)
    assert "the public" in clock_reason(journal(*WAITS), next_day, time_zone="UTC")


@pytest.mark.parametrize(
    ("minutes", "events", "expected"),
    [
        (9.9, ((0, decided()),), []),
        (10, ((0, decided()),), [(RESPONSE, False)]),
        (13, ((0, decided()),), [(RESPONSE, True)]),
        (13, ((0, decided()), (1, ACKED)), []),
        (12, ((0, decided()), (10 * MINUTE, reminded(RESPONSE))), []),
        (99, ((0, decided()), (13 * MINUTE, reminded(RESPONSE, missed=True))), []),
        (99, ((0, decided()), (1, OVER)), []),
    ],
)
def test_each_step_of_the_response_is_due_once(
    minutes: float, events: tuple[Timed, ...], expected: list[tuple[e.ClockName, bool]]
) -> None:
    """It runs from the alert, two minutes before; whatever a person does stops it."""
    assert due(minutes, *events) == expected


@pytest.mark.parametrize(
    ("minutes", "events", "expected"),
    [
        (13, UNANSWERED[:1], [(RESPONSE, True)]),
        (13, UNANSWERED, []),
        (13, ((0, decided()), (3 * MINUTE, asked())), [(RESPONSE, True)]),
        (99, (*UNANSWERED, (15 * MINUTE, e.ApprovalReminded(gate=GATE, escalated=True))), []),
        (99, (*UNANSWERED, (15 * MINUTE, WITHDRAWN)), [(RESPONSE, True)]),
    ],
)
def test_the_page_about_an_open_question_is_page_enough(
    minutes: float, events: tuple[Timed, ...], expected: list[tuple[e.ClockName, bool]]
) -> None:
    """Nobody is woken twice for not having done anything: the question pages after 15 minutes, too."""
    assert [step for step in due(minutes, *events) if step[0] is RESPONSE] == expected


def test_each_missed_promise_is_a_reason_of_its_own() -> None:
    """The response is one for the whole incident; the same promise is known again at the next try."""
    first, again = (steps(30, *QUESTION)[0] for _ in range(2))
    later = first.model_copy(update={"due_at": NEXT + timedelta(hours=1)})
    assert clock_escalation(first) == clock_escalation(again) != clock_escalation(later)
    [early] = steps(13, (0, decided()))
    assert clock_escalation(early) == clock_escalation(
        early.model_copy(update={"due_at": early.due_at + timedelta(hours=1)})
    )


def test_people_read_by_when_and_what_to_type() -> None:
    """In the thread and in the page."""
    told = journal(*QUESTION)
    [near], [late] = steps(24, *QUESTION), steps(30, *QUESTION)
    said = clock_message(told, near.event, lead="ana", link="", time_zone="UTC").values["text"]
    assert said == (
        "⏰ @ana: the team was promised an update by 15:32 UTC. "
        "Tell it where things stand: runbook update inc-1; if it can wait: runbook ack inc-1; "
        "to be reminded again: runbook snooze inc-1 --reminder"
    )
    assert clock_reason(told, late, time_zone="UTC").startswith(
        "the team was promised an update by 15:32 UTC and got none."
    )
