"""The watch, the end of a response and what leads back from there, in sentences."""

from runbook.approvals.identity import named
from runbook.channels.wording import OUTCOMES
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence
from runbook.incidents.state import IncidentOutcome


@sentence.register
def _(event: e.WatchStarted) -> str:
    return f"Watching until {', '.join(event.waiting_for) or 'it is over'}"


@sentence.register
def _(event: e.RecoveryChecked) -> str:
    word = {True: "recovered", False: "not recovered", None: "not known"}[event.recovered]
    return f"Recovery checked: {word}{_because(event.because)}"


@sentence.register
def _(event: e.StateForced) -> str:
    who = named(event.by, event.identity)
    return f"{who} said {event.state}, not proved by the runbook: {event.because}"


@sentence.register
def _(event: e.IncidentResolved) -> str:
    if not event.by:
        return f"Response ended: {_outcome(event.outcome)}{_because(event.because)}"
    done = f"; done by hand: {event.done}" if event.done else ""
    who = named(event.by, event.identity)
    return f"{who} resolved the incident: {_outcome(event.outcome)}{_because(event.because)}{done}"


@sentence.register
def _(event: e.ResponsePaused) -> str:
    return f"Waiting for a person: {event.because}; the next look is at {event.next_look_at:%H:%M} UTC"


@sentence.register
def _(event: e.IncidentMerged) -> str:
    because = f": {event.because}" if event.because else ""
    return f"{named(event.by, event.identity)} merged the incident into {event.into}{because}"


@sentence.register
def _(event: e.IncidentAbsorbed) -> str:
    who = named(event.by, event.identity)
    return f"{who} merged {event.incident} ({event.service}) into this incident"


@sentence.register
def _(event: e.IncidentReopened) -> str:
    if not event.by:
        return f"Incident reopened: {event.because}"
    return f"{named(event.by, event.identity)} reopened the incident: {event.because}"


@sentence.register
def _(event: e.IncidentClosed) -> str:
    return f"Incident closed: {_outcome(event.outcome)}"


def _because(reasons: tuple[str, ...]) -> str:
    return f": {'; '.join(reasons)}" if reasons else ""


def _outcome(word: str) -> str:
    """An outcome in words; a word from an older journal that this release does not know is shown as it is."""
    return OUTCOMES[IncidentOutcome(word)] if word in {outcome.value for outcome in IncidentOutcome} else word
