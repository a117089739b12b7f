"""The life of an incident, as a state machine: whatever happens in whatever order, it follows the table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.decision.leaves import Verdict
from runbook.incidents import events as e
from runbook.incidents.current_action import current_action
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.state import TRANSITIONS, IncidentOutcome, State
from tests.runbook.journals import ALERT, FALLBACK, asked, decided, decision, effect, incident, resolved

HAPPENINGS: tuple[e.Event, ...] = (
    decided(),
    decided(decision(Verdict.UNKNOWN)),
    decided(decision(Verdict.RESOLVED_OR_INTERMITTENT, plan=())),
    asked(),
    e.EffectIntended(effect=effect()),
    e.EffectSettled(effect=effect(EffectOutcome.APPLIED)),
    *(
        e.ActionFinished(result=ActionResult(action=FALLBACK, outcome=outcome, detail=""))
        for outcome in (ActionOutcome.RECOVERED, ActionOutcome.REJECTED, ActionOutcome.FAILED)
    ),
    e.WatchStarted(waiting_for=()),
    e.RecoveryChecked(recovered=False, because=()),
    e.FactsChecked(round=1, verdict=Verdict.UNKNOWN),
    e.FactsChanged(round=2, because=("another verdict",)),
    e.AlertJoined(alert=ALERT),
    e.AlertsResolved(alerts=1),
)
"""What happens to an open incident."""

ENDS: tuple[e.Event, ...] = (
    resolved("recovered"),
    resolved("false_positive"),
    e.IncidentResolved(outcome="not_ours", because=("theirs",), by="ana"),
    e.IncidentMerged(into="inc-20261122-1", by="ana"),
)


@st.composite
def lives(draw: st.DrawFn) -> tuple[e.Event, ...]:
    """Journals as they can be written: open for a while, then an end, a closing, and perhaps a reopening."""
    events: list[e.Event] = []
    for reopened in range(draw(st.integers(0, 2)) + 1):
        if reopened:
            events.append(e.IncidentReopened(because="again", reopened=reopened))
        events += draw(st.lists(st.sampled_from(HAPPENINGS), max_size=8))
        events.append(draw(st.sampled_from(ENDS)))
        events.append(e.IncidentClosed(outcome="recovered", reopened=reopened))
    return tuple(events[: draw(st.integers(0, len(events)))])


@given(lives())
def test_the_states_follow_the_table(events: tuple[e.Event, ...]) -> None:
    """From one event to the next an incident stays where it is, or goes where the table lets it."""
    before = incident().state
    assert before is State.INVESTIGATING
    for length in range(1, len(events) + 1):
        now = incident(*events[:length]).state
        assert now is before or now in TRANSITIONS[before], (before, now, events[:length])
        before = now


@given(lives())
def test_nothing_is_asked_of_what_has_ended(events: tuple[e.Event, ...]) -> None:
    """Neither after its end nor, of what was asked before it, after a reopening."""
    told = incident(*events)
    since = [item.event for item in told.since(e.IncidentReopened)]
    if told.resolved or not any(isinstance(event, e.ApprovalRequested) for event in since):
        assert told.pending_gate is None


@given(lives())
def test_an_incident_is_resolved_by_its_recovery_or_by_a_person_only(events: tuple[e.Event, ...]) -> None:
    """And what ended it last counts, not what ended it before it was reopened."""
    told = incident(*events)
    if told.state.over:
        end = told.end.event if told.end else None
        assert isinstance(end, e.IncidentResolved | e.IncidentMerged)
        by_checks = told.outcome in (IncidentOutcome.RECOVERED, IncidentOutcome.FALSE_POSITIVE)
        assert by_checks or end.by
    else:
        assert told.outcome is None


@given(lives())
def test_each_reopening_begins_another_round(events: tuple[e.Event, ...]) -> None:
    """So that triage and decision are made anew, and written anew."""
    told = incident(*events)
    assert told.round == 1 + told.reopened + len(told.events(e.FactsChanged))


PAUSED = e.ResponsePaused(because="not enough facts", next_look_at=incident().opened_at)


@pytest.mark.parametrize(
    ("events", "waits"),
    [
        ((), False),
        ((decided(decision(Verdict.UNKNOWN)), PAUSED), True),
        ((decided(decision(Verdict.UNKNOWN)), PAUSED, asked()), False),  # it is asked something
        ((decided(decision(Verdict.UNKNOWN)), PAUSED, e.FactsChanged(round=2, because=("x",))), False),
        ((decided(decision(Verdict.UNKNOWN)), PAUSED, resolved("recovered")), False),
    ],
)
def test_an_incident_waits_for_a_person_until_something_changes(
    events: tuple[e.Event, ...], waits: bool
) -> None:
    """Whoever looks at it is told so, and how to end it."""
    told = incident(*events)
    assert (told.pause is not None) is waits
    assert current_action(told).startswith("waiting for a person: not enough facts") is waits
