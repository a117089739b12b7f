"""The clocks of a watch begin at the latest of watch, action and alert."""

from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.checks.watching import (
    begins_a_watch,
    gives_up,
    has_held,
    waits_long_without_alerts,
    watches_from_afar,
    watching_since,
)
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, OPENED, decided, finished, incident

POLICY = Policy(settle_seconds=300, success_deadline_seconds=600, flapping_quiet_seconds=900)
STEP = timedelta(minutes=10)
"""Between two events of a journal here: longer than the settling time, and as long as a success may take."""

WATCH = e.WatchStarted(waiting_for=("errors stop",))
WELL = e.RecoveryChecked(recovered=True, because=("all is well",))
ILL = e.RecoveryChecked(recovered=False, because=("PostHog lists an incident",))
FIRES, OVER = e.AlertJoined(alert=ALERT), e.AlertsResolved(alerts=1)
ACTED = finished(ActionOutcome.RECOVERED)
FLAPS = e.FlappingNoted(alert="PostHogErrorsHigh", episodes=6)


def journal(*events: e.Event) -> Incident:
    """An incident to which one of these happened every ten minutes."""
    return incident(decided(), *events, step=STEP)


@pytest.mark.parametrize(
    ("events", "new"),
    [
        ((), True),
        ((ACTED,), True),
        ((ACTED, WATCH), False),
        ((WATCH, FIRES), False),
        ((WATCH, WELL, FIRES, ACTED), True),
        ((WATCH, WELL, FIRES, ACTED, WATCH), False),
    ],
)
def test_a_watch_begins_anew_after_another_action(events: tuple[e.Event, ...], new: bool) -> None:
    """A run that is continued goes on with the watch that it had begun."""
    assert begins_a_watch(journal(*events)) is new


@pytest.mark.parametrize(
    "events",
    [
        (WATCH, WELL),
        (WATCH, WELL, FIRES),
        (WATCH, WELL, FIRES, OVER, FIRES),
        (WATCH, WELL, FIRES, ACTED),
        (WATCH, WELL, FIRES, ACTED, WATCH),
        (WELL, WATCH),
    ],
    ids=["answer", "alert", "alert again", "action", "second watch", "first watch"],
)
def test_a_recovery_has_to_hold_from_the_latest_of_watch_action_and_alert(
    events: tuple[e.Event, ...],
) -> None:
    """What was well before says nothing about what came after."""
    known = journal(*events)
    assert not has_held(known, policy=POLICY, now=known.journal[-1].at + timedelta(seconds=299))
    assert has_held(known, policy=POLICY, now=known.journal[-1].at + timedelta(seconds=300))


def test_what_comes_and_goes_has_to_stay_away_for_longer() -> None:
    """A flapping alert is quiet between two episodes each time."""
    known = journal(WATCH, WELL, FLAPS, FIRES)
    assert not has_held(known, policy=POLICY, now=known.journal[-1].at + timedelta(seconds=899))
    assert has_held(known, policy=POLICY, now=known.journal[-1].at + timedelta(seconds=900))


def test_without_an_answer_nothing_has_held() -> None:
    """However long the watch goes on."""
    known = journal(WATCH)
    assert not has_held(known, policy=POLICY, now=known.journal[-1].at + timedelta(days=1))


@pytest.mark.parametrize("events", [(WATCH, OVER), (OVER, ACTED), (OVER, ACTED, WATCH)])
def test_people_wait_for_a_recovery_from_the_newest_action_on(events: tuple[e.Event, ...]) -> None:
    """That no alert fires any more calls nobody while an action has only just ended."""
    known = journal(*events)
    at = known.journal[-1].at
    assert not waits_long_without_alerts(known, policy=POLICY, now=at + timedelta(seconds=599))
    assert waits_long_without_alerts(known, policy=POLICY, now=at + timedelta(seconds=600))


@pytest.mark.parametrize("events", [(WATCH,), (WATCH, OVER, FIRES)])
def test_while_an_alert_fires_nobody_waits_for_the_checks(events: tuple[e.Event, ...]) -> None:
    """It is not over by the alert's own word."""
    known = journal(*events)
    at = known.journal[-1].at + timedelta(days=1)
    assert not waits_long_without_alerts(known, policy=POLICY, now=at)


@pytest.mark.parametrize(
    "events",
    [(WATCH,), (WATCH, ILL), (WATCH, ILL, FIRES), (WATCH, ILL, FIRES, ACTED), (ILL, WATCH), (ILL, ACTED)],
    ids=["watch", "answer", "alert", "action", "second watch", "action before a watch"],
)
def test_no_process_is_held_for_a_recovery_that_has_long_not_come(events: tuple[e.Event, ...]) -> None:
    """It is, for as long as a success may take after whatever has happened last."""
    known = journal(*events)
    at = known.journal[-1].at
    assert not watches_from_afar(known, policy=POLICY, now=at + timedelta(seconds=600))
    assert watches_from_afar(known, policy=POLICY, now=at + timedelta(seconds=601))


def test_the_limit_of_a_watch_begins_with_the_newest_watch() -> None:
    """A second watch has its own; without any, the incident's opening counts."""
    known = journal(WATCH, FIRES, ACTED, WATCH, FIRES)
    assert watching_since(known) == known.journal[-2].at
    assert watching_since(journal()) == OPENED


@pytest.mark.parametrize("events", [(), (e.WatchStarted(waiting_for=("errors stop",)),)])
def test_a_watch_gives_up_after_its_limit(events: tuple[e.Event, ...]) -> None:
    """The limit counts from the newest watch; where none was noted, from the opening."""
    known = journal(*events)
    limit = timedelta(seconds=POLICY.watch_limit_seconds)
    assert not gives_up(known, policy=POLICY, now=watching_since(known) + limit)
    assert gives_up(known, policy=POLICY, now=watching_since(known) + limit + timedelta(seconds=1))
