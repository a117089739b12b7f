"""Checking again while an incident is open: when, and whether what is found asks for another decision.

All times are read from the journal (aware UTC, our clock), so a crash sets no clock back.
"""

from datetime import datetime, timedelta

from runbook.approvals.rejections import asks_again_at
from runbook.decision.verdict import Decision, Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

_BEGINS_ROUND = (e.DecisionMade, e.FactsChanged, e.IncidentReopened)


def next_look_at(incident: Incident, *, policy: Policy) -> datetime:
    """When the checks are to be made again, while the runbook waits for a person.

    After the decision it looks soon, then ever more slowly, up to `look_again_limit_seconds`. It looks sooner
    where the last look has found something else, to see whether that holds, and where an alert has come.
    """
    due = asks_again_at(incident)
    look = _next_look_at(incident, policy)
    return look if due is None else min(look, due)


def _next_look_at(incident: Incident, policy: Policy) -> datetime:
    looks = _looks(incident)
    last = looks[-1].at if looks else _decided_at(incident)
    soon = last + timedelta(seconds=policy.facts_hold_seconds)
    if looks and _differs(looks[-1]):
        return soon
    joined = [item.at for item in incident.journal if isinstance(item.event, e.AlertJoined)]
    if joined and joined[-1] > last:
        return max(soon, joined[-1])
    seconds = policy.look_again_seconds * 2 ** min(len(looks), _MOST_DOUBLINGS)
    return last + timedelta(seconds=min(seconds, policy.look_again_limit_seconds))


_MOST_DOUBLINGS = 20


def told_next_look(incident: Incident, *, policy: Policy, now: datetime) -> str:
    """When the checks are to be made again, as people who are paged are told.

    After a long watch that time has passed: the checks are then made at once.
    """
    at = next_look_at(incident, policy=policy)
    return "the runbook looks again at once" if at <= now else f"the runbook looks again at {at:%H:%M} UTC"


def look_is_due(incident: Incident, *, policy: Policy, now: datetime) -> bool:
    """Whether the checks of an open incident that waits for a person are to be made again now."""
    if incident.resolved or incident.decision is None:
        return False
    return now >= next_look_at(incident, policy=policy)


def is_paused(incident: Incident) -> bool:
    """Whether a person was paged since the newest decision, and the run looks again from time to time."""
    return any(pause.round == incident.round for pause in incident.events(e.ResponsePaused))


def looks_when_woken(incident: Incident) -> bool:
    """Whether the run of an incident makes the checks again once it is woken.

    It does where a person is waited for, or is asked about an action of the plan. While it waits for a
    recovery it has its own time; a question about an undo or a switch is not taken back by other facts.
    """
    gate, plan = incident.pending_gate, incident.decision.plan if incident.decision else ()
    if gate is None:
        return is_paused(incident)
    return any(action.id == gate.action_id for action in plan)


def differences(before: Decision, after: Decision) -> tuple[str, ...]:
    """What a decision that is made now says otherwise than the one in force; empty where nothing counts.

    A severity that is lower does not: what people had to bear has happened.
    """
    found = []
    if after.verdict is not before.verdict:
        found.append(f"the verdict would be {after.verdict}, not {before.verdict}")
    elif plan_of(after) != plan_of(before):
        found.append(f"the plan would be: {', then '.join(plan_of(after)) or 'nothing to do'}")
    if after.severity.severity.rank < before.severity.severity.rank:
        found.append(f"the severity would be {after.severity.severity}, not {before.severity.severity}")
    return tuple(found)


def plan_of(decision: Decision) -> tuple[str, ...]:
    """The actions of a decision with their targets and parameters, whatever their numbers."""
    return tuple(
        f"{action.spec.title} ({', '.join([action.target, *sorted(action.parameters.values())])})"
        for action in decision.plan
    )


def decides_anew(incident: Incident, *, policy: Policy, now: datetime) -> tuple[str, ...]:
    """What asks for another decision, after the newest look; empty where the present one stands.

    Where nothing could be decided before, the first answer counts. Otherwise a change has to be found twice,
    `facts_hold_seconds` apart, so that one which comes and goes changes no plan. Another verdict that holds
    counts, also where the severity beside it comes and goes.
    """
    looks = _looks(incident)
    if not looks or not _differs(looks[-1]):
        return ()
    newest = looks[-1].event
    if not isinstance(newest, e.FactsChecked):
        raise TypeError("a look is a FactsChecked")
    if incident.decision is not None and incident.decision.verdict is Verdict.UNKNOWN:
        return newest.changes
    hold = timedelta(seconds=policy.facts_hold_seconds)
    return tuple(change for change in newest.changes if now - _since(change, looks, now) >= hold)


def _since(change: str, looks: list[e.Recorded], now: datetime) -> datetime:
    """Since when each look has found this change, whatever else comes and goes beside it."""
    since = now
    for item in reversed(looks):
        if not isinstance(item.event, e.FactsChecked) or change not in item.event.changes:
            break
        since = item.at
    return since


def _differs(look: e.Recorded) -> bool:
    return isinstance(look.event, e.FactsChecked) and bool(look.event.changes)


def _looks(incident: Incident) -> list[e.Recorded]:
    """The looks since the newest decision, oldest first."""
    looks: list[e.Recorded] = []
    for item in reversed(incident.journal):
        if isinstance(item.event, _BEGINS_ROUND):
            break
        if isinstance(item.event, e.FactsChecked):
            looks.append(item)
    return looks[::-1]


def _decided_at(incident: Incident) -> datetime:
    times = (item.at for item in reversed(incident.journal) if isinstance(item.event, _BEGINS_ROUND))
    return next(times, incident.opened_at)
