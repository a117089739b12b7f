"""What an incident leaves behind is found in its journal."""

import pytest

from runbook.actions.catalogue import ActionOutcome, undo_of
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.checks.findings import Status
from runbook.checks.specs.logs import LOGS
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.loose_ends import (
    changes_in_force,
    effects_in_doubt,
    hand_offs,
    switches_left_on,
    unknown_checks,
)
from runbook.kubernetes.ownership import Writing
from runbook.kubernetes.reversals import Reversal
from tests.runbook.journals import (
    FALLBACK,
    HAND_OFF,
    OPENED,
    PLAN,
    decided,
    decision,
    effect,
    finished,
    incident,
    triaged,
)

QUEUE_ON = FALLBACK.model_copy(update={"id": "2-enable-request-queue", "name": ENABLE_REQUEST_QUEUE.name})
FALLBACK_OFF = FALLBACK.model_copy(update={"id": "2-disable-fallback", "name": DISABLE_FALLBACK.name})


@pytest.mark.parametrize(
    ("outcome", "left_on"),
    [
        (ActionOutcome.RECOVERED, True),
        (ActionOutcome.DONE, True),
        (ActionOutcome.ALREADY_IN_PLACE, True),
        (ActionOutcome.NOT_RECOVERED, True),  # it did not help, and is on all the same
        (ActionOutcome.UNKNOWN, True),  # it may be on: somebody must look
        (ActionOutcome.REVERTED, False),
        (ActionOutcome.REJECTED, False),
        (ActionOutcome.BLOCKED, False),
        (ActionOutcome.FAILED, False),
    ],
)
def test_switch_is_left_on_unless_it_never_was(outcome: ActionOutcome, left_on: bool) -> None:
    """A switch counts as on after every outcome that may leave it on."""
    assert bool(switches_left_on(incident(finished(outcome)))) is left_on


@pytest.mark.parametrize(("outcome", "left_on"), [(ActionOutcome.DONE, False), (ActionOutcome.FAILED, True)])
def test_switch_is_off_once_its_inverse_is_done(outcome: ActionOutcome, left_on: bool) -> None:
    """Only an inverse that was carried out takes a switch off."""
    of = incident(finished(ActionOutcome.RECOVERED), finished(outcome, FALLBACK_OFF))
    assert bool(switches_left_on(of)) is left_on


@pytest.mark.parametrize(
    ("outcome", "left_on"),
    [
        (ActionOutcome.DONE, False),
        (ActionOutcome.ALREADY_IN_PLACE, False),
        (ActionOutcome.NOT_RECOVERED, False),  # it was taken back, and its rollout did not finish
        (ActionOutcome.BLOCKED, True),
        (ActionOutcome.REJECTED, True),
        (ActionOutcome.FAILED, True),
    ],
)
def test_switch_is_off_once_it_was_undone(outcome: ActionOutcome, left_on: bool) -> None:
    """An undo takes off the switch of the action that it undoes, and of no other."""
    on, queue = finished(ActionOutcome.NOT_RECOVERED), finished(ActionOutcome.RECOVERED, QUEUE_ON)
    undone = finished(outcome, undo_of(FALLBACK))
    expected = (FALLBACK, QUEUE_ON) if left_on else (QUEUE_ON,)
    assert switches_left_on(incident(on, queue, undone)) == expected


def test_switch_that_was_reverted_during_the_watch_is_not_left_on() -> None:
    """Somebody else has taken it off; the change is in force no more."""
    applied = effect(EffectOutcome.APPLIED, kind="kubernetes")
    step = applied.model_copy(update={"id": f"inc-1/{FALLBACK.id}/set-field"})
    made = e.EffectSettled(effect=step)
    preview, ended = e.ActionPreviewed(plan=PLAN, since=OPENED), finished(ActionOutcome.RECOVERED)
    reversal = Reversal(writing=Writing(by="Flux"), detail="it is off again", put_back=True)
    gone = e.ChangeReverted(action_id=FALLBACK.id, reversal=reversal)
    assert changes_in_force(incident(preview, made, ended)) == (PLAN,)
    assert changes_in_force(incident(preview, made, ended, gone)) == ()
    assert switches_left_on(incident(preview, made, ended, gone)) == ()


def test_switch_that_was_turned_on_again_is_left_on() -> None:
    """What counts is the last that was done about it."""
    again = FALLBACK.model_copy(update={"id": "4-enable-fallback"})
    events = (finished(ActionOutcome.NOT_RECOVERED), finished(ActionOutcome.DONE, undo_of(FALLBACK)))
    of = incident(*events, finished(ActionOutcome.RECOVERED, again))
    assert switches_left_on(of) == (again,)


def test_undo_of_another_change_takes_no_switch_off() -> None:
    """A memory limit that was put back says nothing about the fallback."""
    other = FALLBACK.model_copy(update={"id": "2-raise-memory-limit", "name": RAISE_MEMORY_LIMIT.name})
    of = incident(finished(ActionOutcome.RECOVERED), finished(ActionOutcome.DONE, undo_of(other)))
    assert switches_left_on(of) == (FALLBACK,)


def test_hand_off_counts_before_and_after_it_was_made() -> None:
    """A planned hand-off is open also where the run never came to it, and is listed once."""
    made = decided(decision(plan=(FALLBACK, HAND_OFF)))
    assert hand_offs(incident(made)) == (HAND_OFF,)
    assert hand_offs(incident(made, finished(ActionOutcome.HANDED_OFF, HAND_OFF))) == (HAND_OFF,)
    assert hand_offs(incident()) == ()


def test_unknown_checks_are_those_of_the_newest_triage() -> None:
    """A check that answered in a later round is no loose end."""
    of = incident(triaged(probe=Status.UNKNOWN, logs=Status.UNKNOWN), triaged(logs=Status.UNKNOWN))
    assert [item.check for item in unknown_checks(of)] == [LOGS.name]
    assert unknown_checks(incident()) == ()


@pytest.mark.parametrize(
    ("settled", "open_"),
    [
        (None, True),
        (EffectOutcome.UNSETTLED, True),
        (EffectOutcome.APPLIED, False),
        (EffectOutcome.FAILED, False),
    ],
)
def test_effect_is_in_doubt_until_its_outcome_is_known(settled: EffectOutcome | None, open_: bool) -> None:
    """An intent without an outcome, or one that is in doubt, must be checked."""
    events = [e.EffectIntended(effect=effect())]
    after = [e.EffectSettled(effect=effect(settled))] if settled else []
    assert bool(effects_in_doubt(incident(*events, *after))) is open_
