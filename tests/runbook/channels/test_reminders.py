"""What people have to be reminded of follows from the journal and the time alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.gates import Answer, Choice
from runbook.approvals.rules import ActRule
from runbook.channels.messages import in_slack
from runbook.channels.reminders import due_notice, escalation_reason, reminder_message
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, FALLBACK, PLAN, answered, asked, resolved
from tests.runbook.timed_journals import ASKED_AT, POLICY, Timed, failed, journal


def snoozed_until(seconds: float, gate: str = "gate-1") -> e.ApprovalRequested:
    """The question that is asked anew after a snooze."""
    return asked(gate=gate).model_copy(update={"remind_at": ASKED_AT + timedelta(seconds=seconds)})


def reminded(gate: str = "gate-1", *, escalated: bool = False) -> e.ApprovalReminded:
    """A notice that was given."""
    return e.ApprovalReminded(gate=gate, escalated=escalated)


NOTHING, REMIND, ESCALATE = None, False, True
REFUSED = e.ApprovalRefused(gate="gate-1", action_id=FALLBACK.id, because="the approver is empty")
OTHER = asked(gate="gate-0")
ACKED = e.IncidentAcknowledged(by="ana")
SNOOZED, REJECTED = (
    answered(choice).model_copy(update={"gate": "gate-0"}) for choice in (Choice.SNOOZE, Choice.REJECT)
)
ANOTHER_CHANGE = snoozed_until(60).model_copy(update={"plan_digest": "another"})


@pytest.mark.parametrize(
    ("events", "seconds", "due"),
    [
        ((), 9999, NOTHING),  # nobody was asked
        (((0, asked()),), 299, NOTHING),
        (((0, asked()),), 300, REMIND),
        (((0, asked()),), 899, REMIND),  # a reminder that was missed is made up for
        (((0, asked()), (300, reminded())), 301, NOTHING),  # once
        (((0, asked()), (300, reminded())), 899, NOTHING),
        (((0, asked()), (300, reminded())), 900, ESCALATE),
        (((0, asked()),), 900, ESCALATE),  # both are due: the page says it all
        (((0, asked()), (900, reminded(escalated=True))), 9999, NOTHING),  # once
        (((0, asked()), (900, reminded(escalated=True))), 901, NOTHING),
        # an answer of any kind ends it
        (((0, asked()), (10, answered(Choice.APPROVE))), 9999, NOTHING),
        (((0, asked()), (10, answered(Choice.REJECT))), 9999, NOTHING),
        (((0, asked()), (10, answered(Choice.SNOOZE))), 9999, NOTHING),  # until it is asked anew
        (((0, asked()), (10, REFUSED)), 9999, NOTHING),
        (((0, asked()), (10, resolved())), 9999, NOTHING),
        # a snooze sets the time itself, and the page follows from there
        (((0, snoozed_until(60)),), 59, NOTHING),
        (((0, snoozed_until(60)),), 60, REMIND),
        (((0, snoozed_until(3600)),), 3599, NOTHING),
        (((0, snoozed_until(3600)),), 3600, REMIND),
        (((0, snoozed_until(3600)), (3600, reminded())), 3600 + 899, NOTHING),
        (((0, snoozed_until(3600)), (3600, reminded())), 3600 + 900, ESCALATE),
        # who has acknowledged it is neither reminded nor paged about the same question
        (((0, asked()), (10, ACKED)), 9999, NOTHING),
        (((0, asked()), (300, reminded()), (310, ACKED)), 9999, NOTHING),
        (((0, snoozed_until(60)), (10, ACKED)), 9999, NOTHING),
        # nor when it comes back after a snooze, unless it is about another change
        (((-9, OTHER), (-8, ACKED), (-7, SNOOZED), (0, snoozed_until(60))), 9999, NOTHING),
        (((-9, OTHER), (-8, SNOOZED), (-7, ACKED), (0, snoozed_until(60))), 9999, NOTHING),
        (((-9, OTHER), (-8, ACKED), (-7, SNOOZED), (0, ANOTHER_CHANGE)), 9999, ESCALATE),
        (((-9, OTHER), (-8, ACKED), (-7, REJECTED), (0, asked())), 9999, ESCALATE),
        (((-1, ACKED), (0, asked())), 300, REMIND),  # but about a later one
        (((-1, ACKED), (0, asked())), 900, ESCALATE),
        (((-900, OTHER), (-800, ACKED), (0, asked())), 900, ESCALATE),
        (((0, asked()), (-5, ACKED)), 9999, NOTHING),  # by a clock that is slow
        # another gate has a clock of its own
        (((-900, OTHER), (-1, reminded("gate-0", escalated=True)), (0, asked())), 299, NOTHING),
        (((-900, OTHER), (-1, reminded("gate-0", escalated=True)), (0, asked())), 300, REMIND),
    ],
)
def test_a_notice_is_due_at_its_time_and_once(
    events: tuple[Timed, ...], seconds: float, due: bool | None
) -> None:
    """A reminder, then a page, each once per gate; nothing once it is answered or over."""
    now = ASKED_AT + timedelta(seconds=seconds)
    notice = due_notice(journal(*events), policy=POLICY, now=now)
    assert (notice.escalated if notice else None) is due
    if notice:
        assert notice.gate.gate == "gate-1"


def test_an_acknowledgement_that_is_not_proven_keeps_nobody_from_being_reminded() -> None:
    """Where the policy asks for a proof of acts."""
    strict = POLICY.model_copy(update={"acts": ActRule(accept_unverified=False)})
    of = journal((0, asked()), (10, ACKED))
    assert due_notice(of, policy=strict, now=ASKED_AT + timedelta(seconds=300)) is not None
    assert due_notice(of, policy=POLICY, now=ASKED_AT + timedelta(seconds=300)) is None


@given(seconds=st.floats(0, 9e6), remind=st.integers(1, 9999), escalate=st.integers(1, 9999))
def test_who_is_paged_first_is_not_reminded_after(seconds: float, remind: int, escalate: int) -> None:
    """Whatever the policy, a gate gets at most one reminder and one page, and no reminder after the page."""
    policy = Policy(remind_after_seconds=remind, escalate_after_seconds=escalate)
    events: list[Timed] = [(0, asked())]
    given_: list[bool] = []
    for step in (seconds, seconds, seconds + remind, seconds + remind + escalate, seconds + 99_999):
        notice = due_notice(journal(*events), policy=policy, now=ASKED_AT + timedelta(seconds=step))
        if notice:
            events.append((step, reminded(escalated=notice.escalated)))
            given_.append(notice.escalated)
    assert given_ in ([False, True], [True])


@pytest.mark.parametrize(
    ("tries", "seconds", "due"),
    [
        ((), 300, True),
        ((300,), 300, True),  # the first try was in time: again with the next look
        ((310,), 319, False),  # overdue by 10 s at the try, so 10 s later
        ((310,), 320, True),
        ((310, 330), 359, False),
        ((310, 330), 360, True),
        ((299,), 300, True),  # what failed before it was due was something else
    ],
)
def test_what_does_not_get_through_is_tried_again_after_a_growing_pause(
    tries: tuple[float, ...], seconds: float, due: bool
) -> None:
    """The pause is as long as the message was overdue, so that a long outage does not fill the journal."""
    events: list[Timed] = [(0, asked()), *((at, failed()) for at in tries)]
    notice = due_notice(journal(*events), policy=POLICY, now=ASKED_AT + timedelta(seconds=seconds))
    assert bool(notice) is due


def test_the_pause_has_an_end() -> None:
    """A pager that comes back after hours is tried within a quarter of an hour."""
    of = journal((0, asked()), (900 + 8 * 3600, failed("pager")))
    last = ASKED_AT + timedelta(seconds=900 + 8 * 3600)
    assert due_notice(of, policy=POLICY, now=last + timedelta(minutes=14)) is None
    assert due_notice(of, policy=POLICY, now=last + timedelta(minutes=15)) is not None


@pytest.mark.parametrize(
    "event",
    [failed("kubernetes"), failed(outcome=EffectOutcome.APPLIED)],
    ids=["a change", "a message that got through"],
)
def test_only_a_message_that_failed_makes_a_pause(event: e.Event) -> None:
    """A change that failed says nothing about the channel."""
    of = journal((0, asked()), (310, event))
    assert due_notice(of, policy=POLICY, now=ASKED_AT + timedelta(seconds=311)) is not None


def test_a_reminder_says_what_is_asked_since_when_and_how_to_answer() -> None:
    """Whoever reads it needs nothing else to answer."""
    of = journal((0, asked()))
    assert of.pending_gate is not None
    text = in_slack(
        reminder_message(
            of, of.pending_gate, needed="who may: ana", link="http://prefect/run", time_zone="Europe/Berlin"
        )
    )
    assert text == (
        "⏰ Nobody has answered yet: Enable the fallback (graceful degradation)?\n"
        "Asked by the runbook at 16:02 CET (15:02 UTC). Without an answer nothing is changed.\n"
        "Who: who may: ana\n"
        f"Answer with `runbook approve inc-1 --plan {PLAN.digest[:12]}` (or reject, edit, snooze), or at <http://prefect/run>"
    )


def test_a_reminder_names_who_put_the_question_off() -> None:
    """After a snooze, people read for whom the question waited."""
    snooze = Answer(choice=Choice.SNOOZE, approver="ana", reason="in a minute", snooze_minutes=10)
    put_off = e.ApprovalAnswered(gate="gate-0", action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=snooze)
    alert = ALERT.model_copy(update={"requested_by": "bob"})
    of = journal((-60, asked(gate="gate-0")), (0, put_off), (0, snoozed_until(600)))
    of = Incident.from_events(
        of.id, [of.journal[0].model_copy(update={"event": e.IncidentOpened(alert=alert)}), *of.journal[1:]]
    )
    assert of.pending_gate is not None
    text = in_slack(reminder_message(of, of.pending_gate, needed="", link="", time_zone="UTC"))
    assert "Asked by the runbook at 15:02 UTC for bob, snoozed by ana until 15:12 UTC." in text
    assert text.endswith(f"`runbook approve inc-1 --plan {PLAN.digest[:12]}` (or reject, edit, snooze)")


def test_the_reason_of_a_page_is_of_one_gate_alone() -> None:
    """The same question at another gate calls again; the same gate says the same at every try."""
    first, second = journal((0, asked())), journal((0, asked(gate="gate-2")))
    assert first.pending_gate is not None
    assert second.pending_gate is not None
    reason = escalation_reason(first, first.pending_gate, time_zone="UTC")
    assert reason == (
        "nobody has answered gate-1 since 15:02 UTC: Enable the fallback (graceful degradation)? "
        f"Answer with `runbook approve inc-1 --plan {PLAN.digest[:12]}`; without an answer nothing is changed"
    )
    assert escalation_reason(second, second.pending_gate, time_zone="UTC") != reason
