"""The team is told once who leads an incident, and by whose word."""

from datetime import timedelta

import pytest

from runbook.channels.messages import in_slack
from runbook.channels.reminders import due_lead, lead_message
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from tests.runbook.journals import effect
from tests.runbook.timed_journals import ASKED_AT, POLICY, Timed, journal

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
