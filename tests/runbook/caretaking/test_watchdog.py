"""What a run needs follows from the journal, the run's state, its lease and the time alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.caretaking.runs import REVIVALS, Revival, Run, RunState, newest_run
from runbook.caretaking.watchdog import (
    Care,
    CareKind,
    due_care,
    stopped_before_opening,
    told_of_doubt,
)
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, FALLBACK, PLAN, answered, asked, decided, effect

AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
POLICY = Policy(takeover_after_seconds=30, continuations_per_hour=3)
STARTED = e.RunStarted(flow_run_id="run-1")
CONTINUED = e.RunContinued(flow_run_id="run-1", because="its run failed or crashed")
RESUMED = e.ResponseResumed(by="ana", done="")

Timed = tuple[float, e.Event]
"""Seconds after `AT`, and what was journalled then."""


def journal(*timed: Timed) -> Incident:
    """An incident whose run has started, and to which these events happened."""
    events: list[Timed] = [(0.0, e.IncidentOpened(alert=ALERT)), (0.0, STARTED), *timed]
    return Incident.from_events(
        "inc-1",
        [
            e.Recorded(seq=number, at=AT + timedelta(seconds=seconds), event=event)
            for number, (seconds, event) in enumerate(events, start=1)
        ],
    )


def care(
    state: RunState, seconds: float, *timed: Timed, since: float = 0, alive_at: float | None = None
) -> Care:
    """What a run needs that came into its state at `since`, at that many seconds."""
    return due_care(
        journal(*timed),
        Run(id="run-1", state=state, since=AT + timedelta(seconds=since)),
        alive_at=None if alive_at is None else AT + timedelta(seconds=alive_at),
        policy=POLICY,
        now=AT + timedelta(seconds=seconds),
    )


LEAVE, START, CONTINUE, PAGE = CareKind.LEAVE, CareKind.START, CareKind.CONTINUE, CareKind.PAGE
WAKE = CareKind.WAKE
ASKED: Timed = (1, asked())
ANSWERED: Timed = (2, answered())
CLOSED: Timed = (3, e.IncidentClosed(outcome="recovered"))


@pytest.mark.parametrize(
    ("state", "seconds", "timed", "kind"),
    [
        (RunState.RUNNING, 29, (), LEAVE),  # it may just be starting
        (RunState.RUNNING, 30, (), CONTINUE),
        (RunState.BROKEN, 29, (), LEAVE),  # its worker may still be reporting the end of it
        (RunState.BROKEN, 30, (), CONTINUE),
        (RunState.ASLEEP_WITH_ANSWER, 29, (), LEAVE),
        (RunState.ASLEEP_WITH_ANSWER, 30, (), CONTINUE),  # nobody else's answer is taken before
        (RunState.COMPLETED, 30, (), START),
        (RunState.UNKNOWN_TO_PREFECT, 30, (), START),
        (RunState.DUE, 119, (), LEAVE),
        (RunState.DUE, 120, (), PAGE),
        (RunState.QUEUED, 899, (), LEAVE),  # a worker is at work on others
        (RunState.QUEUED, 900, (), PAGE),
        (RunState.CANCELLED, 30, (), PAGE),
        (RunState.CANCELLED, 61, ((30, RESUMED),), CONTINUE),  # a person wants it back, and could not wake it
        (RunState.UNREACHABLE, 30, (), PAGE),
        (RunState.UNREACHABLE, 9999, (ASKED,), LEAVE),  # nothing has stopped: the reminders look after it
        (RunState.ASLEEP, 9999, (ASKED,), LEAVE),  # it waits for a person, however long
        (RunState.ASLEEP, 31, (ASKED, ANSWERED), CONTINUE),  # answered, and nobody has woken it
        (RunState.ASLEEP_WITHOUT_FORM, 31, (ASKED,), CONTINUE),  # nobody can answer it in Prefect
        *(
            (state, 9999, (CLOSED,), CONTINUE if state in (RunState.RUNNING, RunState.BROKEN) else LEAVE)
            for state in RunState
        ),
        (RunState.BROKEN, 9999, (CLOSED, (4, CONTINUED)), CONTINUE),  # who did it may have died doing so
        (RunState.BROKEN, 33, (CLOSED, (4, CONTINUED)), LEAVE),
        (
            RunState.BROKEN,
            9999,
            (CLOSED, *((at, CONTINUED) for at in (4, 40, 80))),
            LEAVE,
        ),  # nobody is called
        (RunState.BROKEN, 9999, ((2, CONTINUED), CLOSED), CONTINUE),  # that was for something else
    ],
)
def test_what_a_run_needs(state: RunState, seconds: float, timed: tuple[Timed, ...], kind: CareKind) -> None:
    """A run that has stopped is continued or replaced; what only a person can decide calls one."""
    found = care(state, seconds, *timed)
    assert found.kind is kind
    assert bool(found.because) == (kind is not LEAVE)


DECIDED: Timed = (0, decided())
UNDO = FALLBACK.model_copy(update={"id": f"{FALLBACK.id}-undo"})
ASKED_TO_UNDO: Timed = (1, asked(PLAN.model_copy(update={"action": UNDO})))
PAUSED: Timed = (1, e.ResponsePaused(because="no facts", next_look_at=AT + timedelta(minutes=5)))
BY_ANA: Timed = (2, e.IncidentResolved(outcome="not_ours", because=("theirs",), by="ana"))
BY_CHECKS: Timed = (2, e.IncidentResolved(outcome="recovered", because=()))
MERGED: Timed = (2, e.IncidentMerged(into="inc-2", by="ana"))
REOPENED: Timed = (4, e.IncidentReopened(because="again", by="ana"))
LOOKED: Timed = (300, e.FactsChecked(round=1, verdict=decided().decision.verdict))


@pytest.mark.parametrize(
    ("state", "seconds", "timed", "kind"),
    [
        (RunState.ASLEEP, 299, (DECIDED, ASKED), LEAVE),
        (RunState.ASLEEP, 300, (DECIDED, ASKED), WAKE),  # the question may no longer fit
        (RunState.ASLEEP, 899, (DECIDED, ASKED, LOOKED), LEAVE),
        (RunState.ASLEEP, 900, (DECIDED, ASKED, LOOKED), WAKE),
        (RunState.ASLEEP, 9999, (DECIDED, ASKED_TO_UNDO), LEAVE),  # it would not look, so wake for ever
        (RunState.WAITING, 300, (DECIDED, PAUSED), WAKE),
        (RunState.WAITING, 299, (DECIDED, PAUSED), LEAVE),
        (RunState.WAITING, 9999, (DECIDED,), LEAVE),  # it waits for a recovery, and goes on by itself
        *(
            (state, 3, (DECIDED, first, end), WAKE)  # at once, whatever it waited for
            for state in (RunState.ASLEEP, RunState.WAITING)
            for first in (ASKED, ASKED_TO_UNDO, PAUSED)
            for end in (BY_ANA, MERGED)
        ),
        (RunState.RUNNING, 9999, (DECIDED, BY_ANA), CONTINUE),  # its process died
        (RunState.ASLEEP_WITHOUT_FORM, 9999, (DECIDED, ASKED, BY_ANA), CONTINUE),
        (RunState.COMPLETED, 9999, (DECIDED, BY_ANA), START),
        (RunState.UNREACHABLE, 9999, (DECIDED, ASKED, BY_ANA), LEAVE),  # they know that it is over
        (RunState.UNREACHABLE, 9999, (DECIDED, PAUSED), LEAVE),  # they were called
        (RunState.UNREACHABLE, 9999, (DECIDED, ASKED, BY_CHECKS), PAGE),
        (RunState.WAITING, 9999, (DECIDED, PAUSED, BY_ANA, CLOSED), LEAVE),
    ],
)
def test_a_run_that_waits_is_woken_when_it_has_something_to_do(
    state: RunState, seconds: float, timed: tuple[Timed, ...], kind: CareKind
) -> None:
    """A person has ended the incident, or it is time to look again, and it would."""
    assert care(state, seconds, *timed).kind is kind


@pytest.mark.parametrize("cancelled_at", [1, 3], ids=["before", "after"])
def test_a_cancelled_run_whose_incident_a_person_ends_is_continued(cancelled_at: float) -> None:
    """Nobody else would tell the team, draft the post-mortem and close it; nobody is paged about that."""
    assert care(RunState.CANCELLED, 40, DECIDED, BY_ANA, since=cancelled_at).kind is CONTINUE


def test_a_run_that_moves_between_queues_calls_nobody_again() -> None:
    """That no worker takes it is one reason, whether other runs are being begun meanwhile or not."""
    calls = [care(state, 2000).what for state in (RunState.DUE, RunState.QUEUED)]
    assert calls[0] == calls[1] == Escalation(kind=EscalationKind.RUN_NOT_TAKEN, subject="due")


def test_a_pause_before_a_reopening_says_nothing_of_the_run_after_it() -> None:
    """Nor does the run of before, which has ended."""
    timed = (DECIDED, PAUSED, BY_ANA, CLOSED, REOPENED, (5, STARTED), (6, decided()))
    assert care(RunState.WAITING, 9999, *timed).kind is LEAVE
    assert newest_run(journal(*timed[:5])) is None


AT_WORK = [state for state in RunState if state is not RunState.WAITING]


@pytest.mark.parametrize("state", AT_WORK)
def test_whoever_renews_its_lease_is_left_alone(state: RunState) -> None:
    """A process works on it, whatever Prefect says; only when its last sign of life is old, it is not."""
    assert care(state, 2000, alive_at=1971).kind is LEAVE
    assert care(state, 2000, alive_at=1100).kind is not LEAVE


def test_each_continuation_waits_longer_until_a_person_is_called() -> None:
    """A run that crashes again and again must neither spin nor be forgotten."""
    once: Timed = (30, CONTINUED)
    twice: Timed = (90, CONTINUED)
    thrice: Timed = (180, CONTINUED)

    def needs(seconds: float, *timed: Timed) -> CareKind:
        return care(RunState.BROKEN, seconds, *timed).kind

    assert [needs(59, once), needs(60, once)] == [LEAVE, CONTINUE]
    assert [needs(149, once, twice), needs(150, once, twice)] == [LEAVE, CONTINUE]
    called = care(RunState.BROKEN, 210, once, twice, thrice)
    assert called.kind is PAGE
    assert "continuing it 3 times did not help" in called.because
    assert needs(241, once, twice, thrice, (211, RESUMED)) is CONTINUE  # a person has asked for it
    assert needs(30 + 3600, once, twice, thrice) is CONTINUE  # the hour is over


def test_what_was_continued_before_a_reopening_does_not_count() -> None:
    """Its runs got to the end, also those that people had go on; the new one is continued as any."""
    resolved = e.IncidentResolved(outcome="recovered", because=("fine",), by="ana")
    again = e.IncidentReopened(because="not fine", by="ana", reopened=1)
    ended: tuple[Timed, ...] = ((181, resolved), (182, e.IncidentClosed(outcome="recovered")), (183, again))
    before: tuple[Timed, ...] = ((30, CONTINUED), (90, CONTINUED), (180, CONTINUED))
    assert care(RunState.BROKEN, 214, *before, *ended, (184, STARTED)).kind is CONTINUE


def test_a_call_says_what_may_have_been_done() -> None:
    """An intent without an outcome has two possible ends, and the person must look which it was."""
    called = care(RunState.CANCELLED, 60, (5, e.EffectIntended(effect=effect())))
    assert (
        "not known whether this was done, so check first: set POSTHOG_FALLBACK=true (effect-1)"
        in called.because
    )
    message = effect(kind="slack")
    assert (
        "not known whether" not in care(RunState.CANCELLED, 60, (5, e.EffectIntended(effect=message))).because
    )
    settled = (
        (5, e.EffectIntended(effect=effect())),
        (6, e.EffectSettled(effect=effect(EffectOutcome.FAILED))),
    )
    assert "not known whether" not in care(RunState.CANCELLED, 60, *settled).because


def test_a_person_who_was_told_of_a_doubt_is_known_by_its_id() -> None:
    """Whatever the words of the call; an earlier release had the id in the words alone."""
    intended: Timed = (5, e.EffectIntended(effect=effect()))
    called = care(RunState.CANCELLED, 60, intended)
    assert called.in_doubt == ("effect-1",)
    assert called.what == Escalation(kind=EscalationKind.RUN_CANCELLED, subject="cancelled effect-1")
    told = e.IncidentEscalated(because="look first", what=called.what, in_doubt=called.in_doubt)
    earlier = e.IncidentEscalated(because="look first: a change (effect-1)")
    other = e.IncidentEscalated(because="a change (effect-1) may wait", what=called.what)
    assert [told_of_doubt(journal(intended, (6, event))) for event in (told, earlier, other)] == [
        True,
        True,
        False,
    ]


@given(
    state=st.sampled_from(RunState),
    first=st.floats(0, 10_000),
    later=st.floats(0, 10_000),
    asked_about=st.booleans(),
)
def test_the_reason_of_a_call_does_not_change_with_time(
    state: RunState, first: float, later: float, asked_about: bool
) -> None:
    """Each reason calls a person once; one that changed from look to look would call every time."""
    timed = (ASKED,) if asked_about else ()
    calls = {found for at in (first, later) if (found := care(state, at, *timed)).kind is PAGE}
    assert len(calls) <= 1


def test_the_newest_run_is_the_one_to_look_after() -> None:
    """A run that took the place of another one is the incident's run from then on."""
    assert newest_run(journal()) == "run-1"
    assert newest_run(journal((1, e.RunStarted(flow_run_id="run-2")))) == "run-2"


@pytest.mark.parametrize(
    ("seconds", "starts", "continued"), [(29, 1, False), (30, 1, True), (30, 3, True), (30, 4, False)]
)
def test_a_run_that_stopped_before_it_opened_an_incident(
    seconds: float, starts: int, continued: bool
) -> None:
    """It is continued after a while, but not for ever."""
    run = Run(id="run-1", state=RunState.BROKEN, since=AT, starts=starts)
    now = AT + timedelta(seconds=seconds)
    assert stopped_before_opening(run, policy=POLICY, now=now) is continued


@pytest.mark.parametrize("state", AT_WORK)
def test_the_watchdog_revives_as_everybody_does(state: RunState) -> None:
    """What it does for a run that has stopped is what the one table says of its state."""
    kinds = {
        Revival.CONTINUE: CareKind.CONTINUE,
        Revival.START: CareKind.START,
        Revival.BY_ITSELF: CareKind.PAGE,
    }
    handed_back = ((30, RESUMED),) if state is RunState.CANCELLED else ()
    assert care(state, 9999, *handed_back).kind is kinds[REVIVALS[state]]
