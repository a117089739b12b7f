"""The watch, and the end of a response, in sentences."""

from runbook.channels.wording import OUTCOMES
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence
from runbook.incidents.state import Outcome


@sentence.register
def _(event: e.WatchStarted) -> str:
    return f"Watching until {', '.join(event.waiting_for) or 'it is over'}"


@sentence.register
def _(event: e.RecoveryChecked) -> str:
    word = {True: "recovered", False: "not recovered", None: "not known"}[event.recovered]
    return f"Recovery checked: {word}{_because(event.because)}"


@sentence.register
def _(event: e.IncidentResolved) -> str:
    return f"Response ended: {_outcome(event.outcome)}{_because(event.because)}"


@sentence.register
def _(event: e.IncidentClosed) -> str:
    return f"Incident closed: {_outcome(event.outcome)}"


def _because(reasons: tuple[str, ...]) -> str:
    return f": {'; '.join(reasons)}" if reasons else ""


def _outcome(word: str) -> str:
    """An outcome in words; a word from an older journal that this release does not know is shown as it is."""
    return OUTCOMES[Outcome(word)] if word in {outcome.value for outcome in Outcome} else word
