"""What people have to be reminded of follows from the journal and the time alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.by_hand import Target, switch_off_command
from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.rules import ActRule
from runbook.channels.messages import in_slack
from runbook.channels.reminders import (
    due_lead,
    due_notice,
    due_reports,
    escalation_reason,
    lead_message,
    reminder_message,
    switch_message,
    switch_of,
)
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, FALLBACK, PLAN, answered, asked, effect, finished, resolved

ASKED_AT = datetime(2026, 11, 22, 15, 2, tzinfo=UTC)
POLICY = Policy(remind_after_seconds=300, escalate_after_seconds=900)
QUEUE = FALLBACK.model_copy(update={"id": "2-enable-request-queue", "name": ENABLE_REQUEST_QUEUE.name})
DAY = 24 * 3600

Timed = tuple[float, e.Event]
"""Seconds after `ASKED_AT`, and what was journalled then."""


def journal(*timed: Timed, name: str = "inc-1", opened: float = -120) -> Incident:
    """An incident to which these events happened at these times."""
    events = [(opened, e.IncidentOpened(alert=ALERT)), *timed]
    return Incident.from_events(
        name,
        [
            e.Recorded(seq=number, at=ASKED_AT + timedelta(seconds=seconds), event=event)
            for number, (seconds, event) in enumerate(events, start=1)
        ],
    )


def snoozed_until(seconds: float, gate: str = "gate-1") -> e.ApprovalRequested:
    """The question that is asked anew after a snooze."""
    return asked(gate=gate).model_copy(update={"remind_at": ASKED_AT + timedelta(seconds=seconds)})


def reminded(gate: str = "gate-1", *, escalated: bool = False) -> e.ApprovalReminded:
    """A notice that was given."""
    return e.ApprovalReminded(gate=gate, escalated=escalated)


def failed(kind: str = "slack", outcome: EffectOutcome = EffectOutcome.FAILED) -> e.EffectSettled:
    """A message that did not get through."""
    return e.EffectSettled(effect=effect(outcome, kind=kind))


NOTHING, REMIND, ESCALATE = None, False, True
REFUSED = e.ApprovalRefused(gate="gate-1", action_id=FALLBACK.id, because="the approver is empty")
OTHER = asked(gate="gate-0")
ACKED = e.IncidentAcknowledged(by="ana")


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


ON = (-60.0, finished(ActionOutcome.RECOVERED))
END = (0.0, resolved())


def checked(on: bool | None, action: PlannedAction = FALLBACK) -> e.SwitchChecked:
    """A look at a switch."""
    return e.SwitchChecked(action_id=action.id, switch="X=1", on=on)


@pytest.mark.parametrize(
    ("events", "seconds", "due"),
    [
        ((ON,), 9 * DAY, False),  # it goes on: the switch is in use
        ((ON, END), DAY - 1, False),
        ((ON, END), DAY, True),
        ((ON, END, (5, e.IncidentClosed(outcome="recovered"))), DAY, True),
        ((ON, END, (DAY, checked(True))), 2 * DAY - 1, False),
        ((ON, END, (DAY, checked(True))), 2 * DAY, True),  # once a day
        ((ON, END, (DAY, checked(None))), 2 * DAY, True),  # nobody could tell
        ((ON, END, (DAY, checked(False))), 9 * DAY, False),  # it is off
        ((ON, END, (DAY, checked(True, QUEUE))), DAY, True),  # that was the other switch
        ((ON, END, (DAY, failed())), DAY, True),
        ((ON, END, (DAY + 60, failed())), DAY + 119, False),
        ((ON, END, (DAY + 60, failed())), DAY + 120, True),
        (((-60, finished(ActionOutcome.REJECTED)), END), 9 * DAY, False),  # never was on
        ((END,), 9 * DAY, False),
    ],
)
def test_a_switch_left_on_is_due_once_a_day(events: tuple[Timed, ...], seconds: float, due: bool) -> None:
    """Counted from the incident's end, then from the last report, until it is off."""
    of = journal(*events)
    assert due_reports([of], now=ASKED_AT + timedelta(seconds=seconds)) == ([(of, FALLBACK)] if due else [])


def test_each_switch_of_an_incident_is_due() -> None:
    """Two switches, two reports."""
    of = journal(ON, (-30, finished(ActionOutcome.DONE, QUEUE)), END)
    assert due_reports([of], now=ASKED_AT + timedelta(days=1)) == [(of, FALLBACK), (of, QUEUE)]


def test_a_switch_is_the_newest_incident_s() -> None:
    """Nobody hears twice of one switch, nor of one that an incident uses that goes on."""
    now = ASKED_AT + timedelta(days=3)
    old, new = journal(ON, END), journal(ON, END, name="inc-2", opened=-90)
    assert due_reports([old, new], now=now) == [(new, FALLBACK)]
    assert due_reports([new, old], now=now) == [(new, FALLBACK)]
    assert due_reports([old, journal(ON, name="inc-2", opened=-90)], now=now) == []

    found_off = journal(ON, END, (DAY, checked(False)), name="inc-2", opened=-90)
    assert due_reports([old, found_off], now=now) == [(old, FALLBACK)], "it is looked at, and found off too"


def test_switches_of_different_workloads_are_different() -> None:
    """The same variable on another workload is another switch."""
    elsewhere = FALLBACK.model_copy(update={"target": "deployment/another"})
    old = journal(ON, END)
    new = journal((-60, finished(ActionOutcome.DONE, elsewhere)), END, name="inc-2", opened=-90)
    assert due_reports([old, new], now=ASKED_AT + timedelta(days=1)) == [(new, elsewhere), (old, FALLBACK)]


@pytest.mark.parametrize("name", TEMPORARY_SWITCHES)
def test_every_temporary_switch_has_its_variable(name: ActionName) -> None:
    """What can be left on can be looked at."""
    assert switch_of(FALLBACK.model_copy(update={"name": name}), POLICY).variable


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


@pytest.mark.parametrize(
    ("on", "detail", "first_line"),
    [
        (True, "", "🔌 Still on: X=1 on deployment/posthog-integration"),
        (
            None,
            "Kubernetes: no answer. Wait",
            "🔌 May still be on: X=1 on deployment/posthog-integration (Kubernetes: no answer. Wait)",
        ),
    ],
)
def test_a_report_says_what_is_on_since_when_and_how_to_take_it_off(
    on: bool | None, detail: str, first_line: str
) -> None:
    """What nobody could read is not said to be on."""
    check, command = checked(on).model_copy(update={"detail": detail}), "kubectl set env X-"
    text = in_slack(switch_message(journal(ON, END), FALLBACK, check, command=command, time_zone="UTC"))
    assert text == (
        f"{first_line}\n"
        "inc-1 left it on when it ended at 2026-11-22 15:02 UTC. If it is no longer needed, turn it off:\n"
        "`kubectl set env X-`\n"
        "This reminder repeats once a day until it is off."
    )


@pytest.mark.parametrize(
    ("on", "detail", "text"),
    [
        (True, "", "X=1 is still on"),
        (False, "", "X=1 is off"),
        (None, "no answer", "X=1 may still be on: no answer"),
    ],
)
def test_the_timeline_says_how_the_switch_was_found(on: bool | None, detail: str, text: str) -> None:
    """On, off and unknown are told apart."""
    assert sentence(checked(on).model_copy(update={"detail": detail})) == text


@pytest.mark.parametrize(("container", "flag"), [("web", " -c web"), ("", "")])
def test_the_command_that_takes_a_switch_off_removes_its_variable(container: str, flag: str) -> None:
    """As the runbook itself does; without a configured container, kubectl takes all of them."""
    target = Target(namespace="shop", kind="deployment", name="integration", container=container)
    command = f"kubectl -n shop set env deployment/integration{flag} POSTHOG_FALLBACK-"
    assert switch_off_command("POSTHOG_FALLBACK", target) == command


LEADS = e.LeadAssigned(lead="ana", by="ana")
ANNOUNCED = e.StatusAnnounced(channel="slack", state="INVESTIGATING")


def sent(name: str, outcome: EffectOutcome = EffectOutcome.APPLIED, kind: str = "slack") -> e.EffectSettled:
    """A message of the incident, as it ended."""
    known = effect(outcome, kind=kind)
    return e.EffectSettled(effect=known.model_copy(update={"id": f"inc-1/{kind}/{name}"}))


@pytest.mark.parametrize(
    ("events", "seconds", "due"),
    [
        ((), 10, None),
        (((0, ANNOUNCED), (1, LEADS)), 2, 1),
        (((1, LEADS),), 2, None),  # its thread begins with the first announcement
        (((1, LEADS), (5, ANNOUNCED)), 6, 1),
        (((0, ANNOUNCED), (1, LEADS), (2, sent("lead-1"))), 99, None),  # once
        (((0, ANNOUNCED), (1, LEADS), (2, sent("lead-1")), (3, LEADS)), 4, 2),
        (((0, ANNOUNCED), (1, LEADS), (3, LEADS)), 4, 2),  # only who leads now
        (((0, ANNOUNCED), (1, LEADS), (11, sent("lead-1", EffectOutcome.FAILED))), 20, None),
        (((0, ANNOUNCED), (1, LEADS), (11, sent("lead-1", EffectOutcome.FAILED))), 21, 1),
        (((0, ANNOUNCED), (1, e.LeadAssigned(lead="ana", by="an\u0430"))), 2, None),  # by nobody who may
    ],
)
def test_the_team_is_told_once_who_leads(events: tuple[Timed, ...], seconds: float, due: int | None) -> None:
    """Beside the announcements; what does not get through is tried again."""
    now = ASKED_AT + timedelta(seconds=seconds)
    news = due_lead(journal(*events), channels=["slack"], policy=POLICY, now=now)
    assert (news.number if news else None) == due


def test_the_lead_is_told_where_it_may_be() -> None:
    """Not without a channel, not where nothing is announced, and in every channel."""
    of, now = journal((0, ANNOUNCED), (1, LEADS), (2, sent("lead-1"))), ASKED_AT + timedelta(seconds=9)
    assert due_lead(of, channels=["slack", "chat"], policy=POLICY, now=now) is not None
    fresh = journal((0, ANNOUNCED), (1, LEADS))
    assert due_lead(fresh, channels=["slack"], policy=POLICY, now=now) is not None
    assert due_lead(fresh, channels=[], policy=POLICY, now=now) is None
    silent = POLICY.model_copy(update={"announce": False})
    assert due_lead(fresh, channels=["slack"], policy=silent, now=now) is None


def test_the_message_says_who_led_before() -> None:
    """And by whose word it is."""
    of = journal((0, ANNOUNCED), (1, LEADS), (2, e.LeadAssigned(lead="bob", by="ana")))
    news = due_lead(of, channels=["slack"], policy=POLICY, now=ASKED_AT + timedelta(seconds=3))
    assert news is not None
    text = str(in_slack(lead_message(of, news, link="")))
    assert text.strip() == "ana (unproven claim) made bob the lead; before that it was ana"
