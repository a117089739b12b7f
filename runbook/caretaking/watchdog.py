"""The watchdog's rules: what an open incident's flow run needs, from what the journal and Prefect say of it.

A run ends in the middle when its process, its worker or Prefect's server dies. It is then continued: every
step looks into the journal first, so what was done is not done again. What continuing does not heal is a
person's.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from runbook.caretaking.runs import REVIVALS, Revival, Run, RunState
from runbook.checks.again import is_paused, look_is_due, looks_when_woken
from runbook.incidents.effects import Effect
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import (
    IncidentClosed,
    IncidentEscalated,
    IncidentReopened,
    ResponseResumed,
    RunContinued,
)
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import effects_in_doubt
from runbook.outside_text import OutsideText
from runbook.policy.policy import Policy
from runbook.value import Value

LATE = timedelta(minutes=2)
"""How long a run may wait for a worker until a person is told: a worker's restart is over by then."""

LATE_IN_QUEUE = timedelta(minutes=15)
"""How long a run may wait while workers begin others: a storm of fifty alerts, begun a few at a time."""

ADOPT_AFTER = timedelta(seconds=30)
"""An incident without a run: the process that opened it has this long to start one."""

CLOSED_SINCE = timedelta(hours=1)
"""For how long a closed incident is looked at: a process may die between closing it and telling Prefect that
its run is over, and Prefect may not be there when it is to be told."""

BY_HAND_SINCE = timedelta(days=1)
"""Runs that were started by hand longer ago are left alone."""

REMINDERS_LATE = timedelta(minutes=2)
"""How far the scheduled reminders may be behind until the watchdog gives them."""


class CareKind(StrEnum):
    """What to do for a run."""

    LEAVE = "leave"
    START = "start"
    CONTINUE = "continue"
    WAKE = "wake"
    PAGE = "page"


class Care(Value):
    """What to do, and why. Of a page, `what` it is for, and the ids of the changes that are `in_doubt`."""

    kind: CareKind
    because: OutsideText = ""
    what: Escalation | None = None
    in_doubt: tuple[str, ...] = ()


_LEAVE = Care(kind=CareKind.LEAVE)


def due_care(
    incident: Incident, run: Run, *, alive_at: datetime | None, policy: Policy, now: datetime
) -> Care:
    """What the newest run of an incident that is open, or was closed not long ago, needs now.

    `alive_at` is when the process that works on the incident, or did last, was heard of. Times are aware UTC.
    """
    if run.state in _WAIT and (because := _to_wake(incident, policy=policy, now=now)):
        return Care(kind=CareKind.WAKE, because=because)
    if run.state is RunState.WAITING:
        return _LEAVE
    term = timedelta(seconds=policy.takeover_after_seconds)
    signs_of_life = [run.since, *_continued(incident)]
    if alive_at is not None:
        signs_of_life.append(alive_at)
    quiet = now - max(signs_of_life)
    if quiet < term:
        return _LEAVE
    if incident.closed:
        left_behind = run.state in (RunState.RUNNING, RunState.BROKEN)
        ended = Care(kind=CareKind.CONTINUE, because="it was closed, but its run did not notice")
        again = len(_continued_after_its_end(incident)) < policy.continuations_per_hour
        return ended if left_behind and again else _LEAVE
    match run.state:
        case RunState.ASLEEP if incident.pending_gate:
            return _LEAVE
        case RunState.DUE:
            page = _page(
                incident, run, EscalationKind.RUN_NOT_TAKEN, "no worker has taken its run: start one"
            )
            return page if quiet >= max(LATE, 4 * term) else _LEAVE
        case RunState.QUEUED:
            because = "its run has been queued too long: start more workers"
            page = _page(incident, run, EscalationKind.RUN_NOT_TAKEN, because)
            return page if quiet >= LATE_IN_QUEUE else _LEAVE
        case RunState.CANCELLED if not incident.ended_by and not _handed_back_since(incident, run):
            because = f"its run was cancelled; `runbook resume {incident.id}` goes on"
            return _page(incident, run, EscalationKind.RUN_CANCELLED, because)
        case RunState.UNREACHABLE if incident.pending_gate or is_paused(incident) or incident.ended_by:
            return _LEAVE  # a person was asked, was paged, or has said that it is over
        case RunState.UNREACHABLE:
            because = "its run has stopped, and Prefect does not answer"
            return _page(incident, run, EscalationKind.RUN_OUT_OF_REACH, because)
    return _unless_too_often(incident, run, policy=policy, now=now, term=term)


_WAIT = (RunState.ASLEEP, RunState.WAITING)
"""The states of a run that holds no process and has not stopped."""


def _to_wake(incident: Incident, *, policy: Policy, now: datetime) -> str:
    """Why a run that waits has to go on now; empty where it goes on waiting."""
    if incident.closed:
        return ""
    if incident.resolved:
        return "somebody has ended the incident"
    due = looks_when_woken(incident) and look_is_due(incident, policy=policy, now=now)
    return "it is time to look again" if due else ""


_WHY = {
    RunState.WAITING: "it waits for a person",
    RunState.RUNNING: "its process has stopped responding",
    RunState.ASLEEP: "it is suspended at a gate that has been answered",
    RunState.ASLEEP_WITHOUT_FORM: "its gate has no form",
    RunState.ASLEEP_WITH_ANSWER: "its gate has an answer that did not resume the run",
    RunState.BROKEN: "its run failed or crashed",
    RunState.CANCELLED: "a person handed it back, or has ended the incident",
    RunState.COMPLETED: "its run ended without closing it",
    RunState.UNKNOWN_TO_PREFECT: "its run no longer exists in Prefect",
}
"""Why the response does not go on by itself."""


def _unless_too_often(
    incident: Incident, run: Run, *, policy: Policy, now: datetime, term: timedelta
) -> Care:
    """Each continuation waits longer than the one before; after too many in an hour, a person is paged."""
    kind = CareKind.START if REVIVALS[run.state] is Revival.START else CareKind.CONTINUE
    stopped = Care(kind=kind, because=_WHY[run.state])
    recent = [at for at in _continued(incident) if now - at < timedelta(hours=1)]
    if len(recent) >= policy.continuations_per_hour:
        return _page(
            incident,
            run,
            EscalationKind.RUN_NOT_CONTINUED,
            f"{stopped.because}, and continuing it {len(recent)} times did not help; "
            f"`runbook resume {incident.id}` tries again",
        )
    return stopped if not recent or now - recent[-1] >= len(recent) * term else _LEAVE


def _page(incident: Incident, run: Run, kind: EscalationKind, because: str) -> Care:
    """Say what else the person has to know: what may have been done without our having heard of it."""
    open_ends = [f"{effect.summary} ({effect.id})" for effect in changes_in_doubt(incident)]
    doubts = (
        f". It is not known whether this was done, so check first: {'; '.join(open_ends)}"
        if open_ends
        else ""
    )
    in_doubt = tuple(effect.id for effect in changes_in_doubt(incident))
    # Workers that end or begin work elsewhere move a run between the two states: nobody is paged for that.
    state = RunState.DUE if run.state is RunState.QUEUED else run.state
    what = Escalation(kind=kind, subject=" ".join((state, *in_doubt)))
    return Care(kind=CareKind.PAGE, because=f"{because}{doubts}", what=what, in_doubt=in_doubt)


def stopped_before_opening(run: Run, *, policy: Policy, now: datetime) -> bool:
    """Whether a run that has opened no incident yet was interrupted, and may be continued.

    A failed one is left alone: it has told the person who started it why.
    """
    quiet = now - run.since >= timedelta(seconds=policy.takeover_after_seconds)
    return quiet and run.starts <= policy.continuations_per_hour


def changes_in_doubt(incident: Incident) -> list[Effect]:
    """The changes that were intended and of which nobody knows whether they were made. No messages."""
    return [effect for effect in effects_in_doubt(incident) if effect.is_change]


def told_of_doubt(incident: Incident) -> bool:
    """Whether a person was paged about a change that is still in doubt: that person checks it now."""
    pages = incident.events(IncidentEscalated)
    told = {effect_id for event in pages for effect_id in event.in_doubt}
    earlier = " ".join(event.because for event in pages if event.what is None)  # has them in its words
    return any(effect.id in told or effect.id in earlier for effect in changes_in_doubt(incident))


def _continued(incident: Incident) -> list[datetime]:
    """When its runs were continued, since a person last handed the response back or it was reopened."""
    times: list[datetime] = []
    for item in incident.journal:
        if isinstance(item.event, ResponseResumed | IncidentReopened):
            times.clear()
        elif isinstance(item.event, RunContinued):
            times.append(item.at)
    return times


def _continued_after_its_end(incident: Incident) -> list[RunContinued]:
    """How its run was continued after it had closed the incident: that may itself have been cut short."""
    events = [item.event for item in reversed(incident.journal)]
    later = takewhile(lambda event: not isinstance(event, IncidentClosed), events)
    return [event for event in later if isinstance(event, RunContinued)]


def _handed_back_since(incident: Incident, run: Run) -> bool:
    """Whether a person has handed the response back to the runbook after the run had come to its state."""
    times = [item.at for item in incident.journal if isinstance(item.event, ResponseResumed)]
    return bool(times) and max(times) > run.since
