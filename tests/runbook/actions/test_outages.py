"""An approval holds through an outage for a time, and what has begun is never asked about again."""

from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome, undo_of
from runbook.actions.outages import (
    end_of_wait,
    expired_approval,
    expired_words,
    expires,
    has_a_yes,
    open_outage,
    waiting_words,
)
from runbook.approvals.approvals import answers_to, decided
from runbook.approvals.gates import Choice
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.policy.policy import Policy
from tests.runbook.journals import FALLBACK, OPENED, PLAN, answered, asked, effect, incident

POLICY = Policy()
AWAY = e.OutageNoted(action_id=FALLBACK.id, because="Kubernetes: no answer")
BACK = e.OutageEnded(action_id=FALLBACK.id)
EXPIRED = e.ApprovalExpired(action_id=FALLBACK.id, plan_digest=PLAN.digest, by=("alice",))
PREVIEWED = e.ActionPreviewed(plan=PLAN, since=OPENED)
OTHER = undo_of(FALLBACK)


def request(outcome: EffectOutcome | None = None) -> Effect:
    """A request of the action."""
    return effect(outcome).model_copy(update={"id": f"{incident().id}/{FALLBACK.id}/set-field"})


@pytest.mark.parametrize(
    ("events", "number", "expired"),
    [
        ((), None, False),
        ((AWAY,), 1, False),
        ((AWAY, BACK), None, False),
        ((AWAY, BACK, AWAY), 2, False),
        ((AWAY, EXPIRED), 1, True),
        ((AWAY, EXPIRED, BACK, AWAY), 2, False),
        ((EXPIRED, AWAY), 1, False),
        ((AWAY.model_copy(update={"action_id": "2-other"}),), None, False),
        ((AWAY, BACK.model_copy(update={"action_id": "2-other"})), 1, False),
    ],
)
def test_an_outage_is_open_until_the_cluster_answers(
    events: tuple[e.Event, ...], number: int | None, expired: bool
) -> None:
    """It is the action's own; its number tells the channel's messages apart."""
    outage = open_outage(incident(*events), FALLBACK)
    assert (None if outage is None else outage.number) == number
    assert outage is None or outage.expired is expired


def test_an_approval_that_has_expired_is_none_and_its_gate_takes_no_other() -> None:
    """Only an answer to a question that was asked since then counts."""
    before = (PREVIEWED, asked(), answered())
    assert has_a_yes(incident(*before), FALLBACK, POLICY)
    expired = incident(*before, AWAY, EXPIRED, BACK, answered())
    assert decided(expired, PLAN, POLICY) is None
    assert answers_to(expired, PLAN) == []
    again = answered().model_copy(update={"gate": "gate-2"})
    journal = incident(*before, AWAY, EXPIRED, BACK, asked(gate="gate-2"), again)
    assert decided(journal, PLAN, POLICY) == again
    assert expired_approval(incident(*before), FALLBACK) == EXPIRED


def test_nothing_waits_without_an_approval() -> None:
    """Neither what was never asked about, nor what was rejected."""
    assert not has_a_yes(incident(), FALLBACK, POLICY)
    assert not has_a_yes(incident(PREVIEWED, asked(), answered(Choice.REJECT)), FALLBACK, POLICY)


def test_what_has_begun_and_an_undo_do_not_expire() -> None:
    """They are brought to an end, or to a person who is told what was made."""
    begun = incident(PREVIEWED, e.EffectIntended(effect=request()))
    assert expires(incident(PREVIEWED), FALLBACK)
    assert not expires(begun, FALLBACK)
    assert not expires(incident(), OTHER)
    assert end_of_wait(begun, FALLBACK, "no answer") == (ActionOutcome.UNKNOWN, "no answer")
    failed = incident(e.EffectSettled(effect=request(EffectOutcome.FAILED)))
    assert end_of_wait(failed, FALLBACK, "no answer") == (ActionOutcome.FAILED, "no answer")
    made = incident(e.EffectSettled(effect=request(EffectOutcome.APPLIED)))
    assert end_of_wait(made, FALLBACK, "no answer")[1].startswith("only a part was applied (")


def test_people_read_until_when_an_approval_holds_and_that_it_has_expired() -> None:
    """The clock is the journal's; what has begun is read back instead."""
    journal = incident(PREVIEWED, AWAY)
    outage = open_outage(journal, FALLBACK)
    assert outage is not None
    until = outage.since + timedelta(seconds=POLICY.approval_outage_seconds)
    assert (f"The approval is valid until {until:%H:%M} UTC") in waiting_words(
        journal, FALLBACK, outage, POLICY
    )
    begun = incident(PREVIEWED, e.EffectIntended(effect=request()), AWAY)
    assert "has started. When the cluster answers again" in waiting_words(begun, FALLBACK, outage, POLICY)
    assert "for 0 hours 15 minutes" in expired_words(FALLBACK, outage, POLICY)
