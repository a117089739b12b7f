"""A reminder of a clock is put off by a person: it comes once more, and the clock runs on."""

from datetime import timedelta

import pytest

from runbook.approvals.acts import Act, ActKind, ActOnClosed, event_of
from runbook.approvals.authority import counts_in
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.clocks.promises import DueClock, due_clocks
from runbook.clocks.response import response_clock
from runbook.clocks.snoozing import reminders
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.sentences import sentence
from runbook.policy.policy import Policy
from tests.runbook.journals import asked, decided, decision
from tests.runbook.public_texts import PROPOSED
from tests.runbook.timed_journals import ASKED_AT, Timed, journal

POLICY = Policy()
ME = Identity(name="ana")
MINUTE = 60.0
UNREAD: tuple[Timed, ...] = ((0, decided()),)
"""Nobody has acted: somebody is due 13 minutes after `ASKED_AT`, and reminded of it 10 minutes after it."""

DUE = ASKED_AT + timedelta(minutes=13)
RESPONSE = e.ClockReminded(clock=e.ClockName.RESPONSE, due_at=DUE)
REMINDED = (*UNREAD, (10 * MINUTE, RESPONSE))
PROMISE = ASKED_AT + timedelta(minutes=30)
TOLD = e.StatusAnnounced(channel="slack", state="IDENTIFIED", next_update_at=PROMISE)
TEAM = e.ClockReminded(clock=e.ClockName.TEAM_UPDATE, due_at=PROMISE)
QUESTION: tuple[Timed, ...] = (
    *((0, decided()), (0, e.IncidentAcknowledged(by="ana")), (0, TOLD), (1, asked())),
    (24 * MINUTE, TEAM),
)


def snoozed(after: float, *events: Timed, **said: object) -> e.ReminderSnoozed:
    """What is journalled where somebody snoozes `after` so many minutes."""
    act = Act.model_validate({"kind": ActKind.SNOOZE, **said})
    now = ASKED_AT + timedelta(minutes=after)
    done = event_of(act, journal(*events), by="ana", identity=ME, policy=POLICY, now=now)
    assert isinstance(done, e.ReminderSnoozed)
    return done


def due(minutes: float, *events: Timed) -> list[DueClock]:
    """What is due so many minutes after `ASKED_AT`."""
    now = ASKED_AT + timedelta(minutes=minutes)
    return due_clocks(journal(*events), team=["slack"], public=["statuspage"], policy=POLICY, now=now)


@pytest.mark.parametrize(
    ("minutes", "said", "until"),
    [(20, {}, 30), (24.5, {"minutes": 2}, 26.5), (25, {"minutes": 30}, 30), (24, {"minutes": 1440}, 30)],
)
def test_a_snooze_ends_with_the_clock_at_the_latest(
    minutes: float, said: dict[str, object], until: float
) -> None:
    """Ten minutes where nobody says how many."""
    done = snoozed(minutes, *QUESTION, **said)
    assert done.until == ASKED_AT + timedelta(minutes=until)
    assert (done.clock, done.due_at, done.by) == (e.ClockName.TEAM_UPDATE, PROMISE, "ana")
    assert ("a person is paged" in sentence(done)) is (until == 30)


@pytest.mark.parametrize(("level", "until"), [(Severity.P1, 13), (Severity.P3, 31)])
def test_a_snooze_ends_with_the_clock_as_it_is_now(level: Severity, until: float) -> None:
    """The runbook has rated it otherwise since the reminder, which has moved the end of the response."""
    before = RESPONSE.model_copy(update={"due_at": ASKED_AT + timedelta(minutes=21)})
    rated = decided(decision(severity=level))
    events = (*UNREAD, (10 * MINUTE, before), (10.5 * MINUTE, rated))
    done = snoozed(11, *events, minutes=20)
    assert done.until == ASKED_AT + timedelta(minutes=until)
    assert done.until <= response_clock(journal(*events), POLICY).due_at == done.due_at
    if level is Severity.P1:
        with pytest.raises(InvalidAnswer, match="its time is up"):
            snoozed(13, *events)


def test_the_reminder_comes_once_more_and_the_page_when_it_would_have_come() -> None:
    """Each snooze puts off the reminder that is next; none the page."""
    later = (24 * MINUTE, snoozed(24, *QUESTION, minutes=3))
    assert due(26.9, *QUESTION, later) == []
    [again] = due(27, *QUESTION, later)
    assert (again.missed, again.again, again.since) == (False, 1, ASKED_AT + timedelta(minutes=27))
    told = (*QUESTION, later, (27 * MINUTE, again.event))
    assert due(28, *told) == []
    [page] = due(30, *told)
    assert page.missed
    once_more = (27.5 * MINUTE, snoozed(27.5, *told, minutes=1))
    assert due(28, *told, once_more) == []
    assert [it.again for it in due(28.5, *told, once_more)] == [2]
    assert [it.missed for it in due(30, *QUESTION, (24 * MINUTE, snoozed(24, *QUESTION)))] == [True]


def test_a_snooze_is_no_response_and_dismisses_nothing() -> None:
    """Who says "later" has done nothing yet: the response clock runs on, and its end pages."""
    told = (*REMINDED, (11 * MINUTE, snoozed(11, *REMINDED)))
    assert response_clock(journal(*told), POLICY).met_at is None
    assert due(12.9, *told) == []
    assert [(it.clock, it.missed) for it in due(13, *told)] == [(e.ClockName.RESPONSE, True)]


def test_a_snooze_of_somebody_who_may_not_puts_nothing_off() -> None:
    """As with every act, what a journal says is checked again."""
    stranger = snoozed(24, *QUESTION).model_copy(update={"by": "an\u0430"})
    reminded = (*QUESTION, (24 * MINUTE, stranger))
    assert reminders(journal(*reminded), counts_in(journal(*reminded), POLICY))[-1].snoozed is None
    assert due(29, *reminded) == []
    assert [it.missed for it in due(30, *reminded)] == [True]


@pytest.mark.parametrize(
    ("minutes", "events", "said", "why"),
    [
        (5, UNREAD, {}, "no clock has been reminded of"),
        (13, REMINDED, {}, "its time is up"),
        (12, (*REMINDED, (11 * MINUTE, e.IncidentAcknowledged(by="bob"))), {}, "bob has acted"),
        (25, (*QUESTION, (24.5 * MINUTE, TOLD)), {}, "an update was sent"),
        (12, (*REMINDED, (11 * MINUTE, RESPONSE.model_copy(update={"missed": True}))), {}, "was paged"),
        (11, REMINDED, {"reminder": "clock:x"}, "there is no such reminder"),
        (11, REMINDED, {"minutes": 0}, "from 1 to 1440"),
        (11, REMINDED, {"minutes": 1441}, "from 1 to 1440"),
    ],
)
def test_what_cannot_be_snoozed_says_why(
    minutes: float, events: tuple[Timed, ...], said: dict[str, object], why: str
) -> None:
    """Nothing is journalled then."""
    with pytest.raises(InvalidAnswer, match=why):
        snoozed(minutes, *events, **said)


def test_a_text_that_replaces_another_ends_its_reminder() -> None:
    """So does the end of the incident, which takes no snooze at all."""
    text = e.ClockReminded(clock=e.ClockName.PUBLIC_TEXT, due_at=PROMISE)
    waits = (*QUESTION, (25 * MINUTE, text))
    assert snoozed(26, *waits).clock is e.ClockName.PUBLIC_TEXT
    assert snoozed(26, *waits, reminder=TEAM.journal_key).clock is e.ClockName.TEAM_UPDATE
    replaced = (*waits, (26 * MINUTE, PROPOSED))
    assert snoozed(27, *replaced).clock is e.ClockName.TEAM_UPDATE
    with pytest.raises(InvalidAnswer, match="another text has replaced"):
        snoozed(27, *replaced, reminder=text.journal_key)
    ended = (*waits, (26 * MINUTE, e.IncidentResolved(outcome="recovered", because=())))
    with pytest.raises(InvalidAnswer, match="the incident has ended"):
        snoozed(27, *ended)
    with pytest.raises(ActOnClosed):
        snoozed(27, *ended, (26 * MINUTE, e.IncidentClosed(outcome="recovered")))
