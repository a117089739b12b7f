"""What a person says of where an incident is: identified, monitored, over, part of another, or not over.

Everybody may whom `[policy.acts]` lets, as for the other acts, see `runbook.approvals.acts`.
"""

from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.incidents.events import IncidentMerged, IncidentReopened, IncidentResolved, StateForced
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from runbook.outside_text import MAX_TEXT

OUTCOMES = {
    "recovered": IncidentOutcome.RECOVERED,
    "not-ours": IncidentOutcome.NOT_OURS,
    "false-positive": IncidentOutcome.FALSE_POSITIVE,
}
"""How a person may say that an incident ended, as it is typed."""


FORCED = (State.IDENTIFIED, State.MONITORING)
"""The states that a person may say before they are proved."""


class NotOpen(InvalidAnswer):
    """The incident has ended, so it cannot be ended; the text says how it ended."""


def resolution(
    incident: Incident, *, outcome: str, because: str, done: str, by: str, identity: Identity
) -> IncidentResolved:
    """What a person's word that it is over is in the journal.

    Raises:
        InvalidAnswer: the outcome is none, no reason is given, or it is too long.
        NotOpen: it has ended in another way; the same may be said again.
    """
    if outcome not in OUTCOMES:
        raise InvalidAnswer(f"the outcome is one of {', '.join(OUTCOMES)}, not {outcome!a}")
    _require_short(because, "the reason")
    _require_short(done, "what was done")
    resolved = IncidentResolved(
        outcome=OUTCOMES[outcome],
        because=(because.strip(),),
        by=by,
        identity=identity,
        done=done.strip(),
        reopened=incident.reopened,
    )
    if not resolved.because[0].strip():  # as it is kept: without what nobody can read
        raise InvalidAnswer("the reason is empty: say why it is over, the checks have not shown it")
    said = incident.end.event if incident.end else None
    if said != resolved.model_copy(update={"identity": getattr(said, "identity", None)}):
        _require_open(incident)
    return resolved


def forcing(incident: Incident, *, state: str, because: str, by: str, identity: Identity) -> StateForced:
    """What a person's word on the state is in the journal, where the runbook has not proved that.

    Raises:
        InvalidAnswer: the state is none of the two, the runbook is as far itself, or no reason is given.
        NotOpen: the incident has ended.
    """
    wanted = state.strip().upper()
    if wanted not in FORCED:
        names = " or ".join(each.value.lower() for each in FORCED)
        raise InvalidAnswer(f"the state is {names}, not {state[:40]!a}; that it is over: `runbook resolve`")
    _require_short(because, "the reason")
    _require_open(incident)
    order = [*State]
    if order.index(State(wanted)) <= order.index(incident.state.told):
        raise InvalidAnswer(f"the runbook says {incident.state.told.value} itself: nothing has to be forced")
    said = StateForced.model_validate(
        {"state": wanted, "by": by, "because": because.strip(), "identity": identity}
    )
    if not said.because.strip():
        raise InvalidAnswer("the reason is empty: say how you know, the runbook has not proved it")
    return said


def merger(
    incident: Incident, target: Incident, *, because: str, by: str, identity: Identity
) -> IncidentMerged:
    """What a person's word that this incident is part of that one is in the journal.

    Raises:
        InvalidAnswer: they are the same, one is a rehearsal, or they are of two environments.
        NotOpen: one of them has ended.
    """
    if incident.id == target.id:
        raise InvalidAnswer("an incident cannot be merged into itself")
    if incident.dry_run != target.dry_run:
        raise InvalidAnswer("a rehearsal and an incident cannot be merged")
    if incident.environment != target.environment:
        raise InvalidAnswer(
            f"{incident.id} belongs to the environment {incident.environment} and {target.id} to "
            f"{target.environment}: incidents of two environments are not merged; "
            "note in each that the other is about the same"
        )
    _require_short(because, "the reason")
    _require_open(incident)
    _require_open(target)
    return IncidentMerged(
        into=target.id, by=by, identity=identity, because=because.strip(), reopened=incident.reopened
    )


def reopening(incident: Incident, *, because: str, by: str, identity: Identity) -> IncidentReopened:
    """What a person's word that it is not over is in the journal.

    Raises:
        InvalidAnswer: no reason is given, it is too long, or the incident has not ended.
    """
    _require_short(because, "the reason")
    if not incident.closed:
        still = "is being closed: try again in a moment" if incident.resolved else "is open"
        raise InvalidAnswer(f"{incident.id} {still}")
    again = IncidentReopened(
        because=because.strip(), by=by, identity=identity, reopened=incident.reopened + 1
    )
    if not again.because.strip():
        raise InvalidAnswer("the reason is empty: say what is wrong again")
    return again


def _require_short(text: str, what: str) -> None:
    """Nothing of what a person says is cut off without their knowing."""
    if len(text) > MAX_TEXT:
        raise InvalidAnswer(f"{what} has at most {MAX_TEXT} characters: write the rest as notes")


def _require_open(incident: Incident) -> None:
    if incident.resolved:
        raise NotOpen(f"{incident.id} has ended: {incident.outcome}")
