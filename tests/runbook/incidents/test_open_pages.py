"""A page stays open after a recovery while what it was about is in doubt."""

import pytest

from runbook.actions.catalogue import ActionOutcome, PlannedAction, undo_of
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.open_pages import open_pages
from tests.runbook.journals import FALLBACK, decided, effect, finished, incident, resolved

WATCH = e.WatchStarted(waiting_for=("errors stop",))
WELL = e.RecoveryChecked(recovered=True, because=("all is well",))
RESTART = FALLBACK.model_copy(update={"id": "2-restart", "name": RESTART_DEPLOYMENT.name})
SECRET = FALLBACK.model_copy(update={"id": "3-replace-api-key", "name": REPLACE_API_KEY.name})
OFF = FALLBACK.model_copy(update={"id": f"{FALLBACK.id}-off", "name": DISABLE_FALLBACK.name})

DONE, RECOVERED, NOT_RECOVERED = ActionOutcome.DONE, ActionOutcome.RECOVERED, ActionOutcome.NOT_RECOVERED
UNKNOWN, FAILED, BLOCKED = ActionOutcome.UNKNOWN, ActionOutcome.FAILED, ActionOutcome.BLOCKED


def called(about: PlannedAction | None = None) -> e.IncidentEscalated:
    """A person was called."""
    return e.IncidentEscalated(because="it did not go well", about=about.id if about else "")


def request(action: PlannedAction, outcome: EffectOutcome | None) -> e.EffectSettled:
    """How a request of the action ended."""
    known = effect(outcome).model_copy(update={"id": f"inc-20261122-1500/{action.id}/a-step"})
    return e.EffectSettled(effect=known)


SWITCHED_ON = finished(RECOVERED)
"""The fallback, which is to be taken off again after the recovery."""

ROWS: dict[str, tuple[tuple[e.Event, ...], bool]] = {
    "it may help, nobody can tell": ((finished(UNKNOWN), called(FALLBACK), WATCH, WELL), False),
    "it did not help, nothing to undo": (
        (finished(NOT_RECOVERED, RESTART), called(RESTART), WATCH, WELL),
        False,
    ),
    "it was not possible": ((finished(BLOCKED), called(FALLBACK), WATCH, WELL), False),
    "it failed, nothing made": ((finished(FAILED), called(FALLBACK), WATCH, WELL), False),
    "it failed, half made": (
        (request(SECRET, EffectOutcome.APPLIED), finished(FAILED, SECRET), called(SECRET), WATCH, WELL),
        True,
    ),
    "it is in doubt": (
        (request(FALLBACK, EffectOutcome.UNSETTLED), finished(UNKNOWN), called(FALLBACK), WATCH, WELL),
        True,
    ),
    "its undo is in doubt": (
        (
            finished(NOT_RECOVERED),
            request(undo_of(FALLBACK), EffectOutcome.UNSETTLED),
            finished(UNKNOWN, undo_of(FALLBACK)),
            called(FALLBACK),
            WATCH,
            WELL,
        ),
        True,
    ),
    "it was undone": (
        (finished(NOT_RECOVERED), finished(DONE, undo_of(FALLBACK)), called(FALLBACK), WATCH, WELL),
        False,
    ),
    "it was put back, and not well": (
        (
            finished(NOT_RECOVERED, SECRET),
            finished(NOT_RECOVERED, undo_of(SECRET)),
            called(SECRET),
            WATCH,
            WELL,
        ),
        False,
    ),
    "it was not undone": (
        (finished(NOT_RECOVERED), finished(FAILED, undo_of(FALLBACK)), called(FALLBACK), WATCH, WELL),
        True,
    ),
    "it was not undone, and taken off in the end": (
        (
            finished(NOT_RECOVERED),
            finished(FAILED, undo_of(FALLBACK)),
            called(FALLBACK),
            WATCH,
            WELL,
            finished(RECOVERED, OFF),
        ),
        False,
    ),
    "a key was not undone": (
        (
            finished(NOT_RECOVERED, SECRET),
            finished(BLOCKED, undo_of(SECRET)),
            called(SECRET),
            WATCH,
            WELL,
        ),
        True,
    ),
    "the switch could not be taken off": (
        (SWITCHED_ON, WATCH, WELL, finished(BLOCKED, OFF), called(OFF)),
        True,
    ),
    "the switch was found off later": (
        (
            SWITCHED_ON,
            WATCH,
            WELL,
            finished(FAILED, OFF),
            called(OFF),
            resolved(),
            e.SwitchChecked(action_id=FALLBACK.id, switch="POSTHOG_FALLBACK=true", on=False),
        ),
        False,
    ),
    "nobody can tell how its removal went": (
        (SWITCHED_ON, WATCH, WELL, finished(UNKNOWN, OFF), called(OFF)),
        True,
    ),
    "the response as a whole": ((called(), WATCH, WELL), False),
    "what stays as it is although all is well": (
        (WATCH, WELL, e.IncidentEscalated(because="half a rollout is left", outlasts=True)),
        True,
    ),
    "the response, with a change in doubt": (
        (request(FALLBACK, None), called(), WATCH, WELL),
        True,
    ),
    "the response, with a message in doubt": (
        (e.EffectIntended(effect=effect(kind="slack")), called(), WATCH, WELL),
        False,
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_recovery_ends_the_calls_that_it_settles(what: str) -> None:
    """The others go on, until what they are about is settled or a person ends them."""
    events, stays_open = ROWS[what]
    assert open_pages(incident(decided(), *events)) == ({1} if stays_open else set())


def test_each_call_is_looked_at_for_itself() -> None:
    """One that is settled ends beside one that is not."""
    known = incident(
        decided(),
        called(),
        finished(NOT_RECOVERED, SECRET),
        finished(FAILED, undo_of(SECRET)),
        called(SECRET),
        finished(BLOCKED, RESTART),
        called(RESTART),
        WATCH,
        WELL,
    )
    assert open_pages(known) == {2}


def test_a_call_of_an_earlier_release_is_about_the_response() -> None:
    """Its event does not say what it was about."""
    read = e.EVENT.validate_json('{"type": "IncidentEscalated", "because": "it did not help"}')
    assert isinstance(read, e.IncidentEscalated)
    assert read.about == ""
