"""The response clock: how soon after the first alert a person does something about the incident.

The runbook's own verdict is shown beside it and never stops it: a verdict that nobody has read helps nobody.
Source of the response times: the runbook's table of severity levels; `[policy] response_minutes` has them.
"""

from datetime import datetime
from enum import StrEnum

from runbook.approvals.authority import ActEvent, act_counts
from runbook.channels.local_time import clock_after, span
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import PERSON, Incident
from runbook.outside_text import OutsideName
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value


class ResponseState(StrEnum):
    """How the response clock stands at a moment."""

    RUNNING = "running"
    NEARING = "nearing"
    MISSED = "missed"
    """Nobody has responded in time, and nobody has yet."""
    MET = "met"
    LATE = "late"
    """Somebody has responded, but too late."""
    NOT_NEEDED = "not needed"
    """It was over before a person was due."""


class ResponseClock(Value):
    """By when a person has to respond, and whether one has. All times are aware UTC.

    `severity` is the one in force, or what stands in for it before there is one. `met_at` is the first act of
    a person who may act, `met_by` who that was. `within` is how long they have, in words. `verdict_at` is the
    first verdict that tells the cause; while there is none, the first at all, which is then not `certain`.
    """

    severity: Severity
    within: str
    since: datetime
    nearing_at: datetime
    due_at: datetime
    verdict_at: datetime | None = None
    certain: bool = True
    met_at: datetime | None = None
    met_by: OutsideName = ""
    over_at: datetime | None = None

    def state(self, now: datetime) -> ResponseState:
        """How it stands at `now` (aware UTC)."""
        if self.met_at is not None:
            return ResponseState.MET if self.met_at <= self.due_at else ResponseState.LATE
        if self.over_at is not None and self.over_at <= self.due_at:
            return ResponseState.NOT_NEEDED
        if now >= self.due_at:
            return ResponseState.MISSED
        return ResponseState.NEARING if now >= self.nearing_at else ResponseState.RUNNING


def response_clock(incident: Incident, policy: Policy) -> ResponseClock:
    """The response clock of an incident. It runs from the first alert; another severity moves its end."""
    severity, since = incident.rating or Severity.P2, incident.opened_at
    due_at = policy.response_due(severity, since)
    met = _first_act(incident, policy)
    decided = [(it.at, it.event.decision) for it in incident.journal if isinstance(it.event, e.DecisionMade)]
    certain = [at for at, decision in decided if decision.verdict is not Verdict.UNKNOWN]
    return ResponseClock(
        severity=severity,
        within=policy.response_within(severity),
        since=since,
        nearing_at=policy.nearing_at(since, due_at),
        due_at=due_at,
        verdict_at=next(iter([*certain, *(at for at, _ in decided)]), None),
        certain=bool(certain or not decided),
        met_at=met[0] if met else None,
        met_by=met[1] if met else "",
        over_at=incident.resolved_at,
    )


def response_words(clock: ResponseClock, now: datetime, time_zone: str = "UTC") -> str:
    """The clock in a sentence: `Verdict after 2.0 s; first person after 4 min 0 s of 15 min (ana)`.

    While it runs, only what happens changes it, and its end once that is there.
    """
    verdict = "No verdict yet"
    if clock.verdict_at is not None:
        which = "Verdict" if clock.certain else "Unknown verdict"
        verdict = f"{which} after {span(clock.verdict_at - clock.since)}"
    return f"{verdict}; {person_words(clock, now, time_zone)}"


def person_words(clock: ResponseClock, now: datetime, time_zone: str = "UTC") -> str:
    """The part of the sentence that is about people, for where the verdict is known."""
    due = clock_after(clock.due_at, clock.since, time_zone)
    match clock.state(now):
        case ResponseState.MET | ResponseState.LATE as state if clock.met_at is not None:
            late = ", late" if state is ResponseState.LATE else ""
            took = span(clock.met_at - clock.since)
            return f"first person after {took} of {clock.within}{late} ({clock.met_by})"
        case ResponseState.MISSED:
            return f"no person yet, late: one was due by {due} ({clock.within})"
        case ResponseState.NOT_NEEDED:
            return f"it was over before a person was due ({clock.within})"
        case _:
            return f"no person yet: one is due by {due} ({clock.within})"


def _first_act(incident: Incident, policy: Policy) -> tuple[datetime, str] | None:
    """When a person did something about it first, and who; whoever opened it by hand did so with that."""
    if incident.alert.source == PERSON:
        return incident.opened_at, incident.alert.requested_by
    in_force = policy_in_force(incident, policy)
    for item in incident.journal:
        event = item.event
        if not e.is_act_of_a_person(event):
            continue
        if isinstance(event, ActEvent) and not act_counts(incident, event, in_force):
            continue
        return item.at, e.actor(event)
    return None
