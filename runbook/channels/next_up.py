"""What comes next in an incident by itself, and when: for people who look at it."""

from datetime import datetime, timedelta

from runbook.approvals.acts import gate_is_acknowledged
from runbook.approvals.gates import PendingGate
from runbook.approvals.rejections import asks_again_at
from runbook.checks.again import next_look_at
from runbook.checks.watching import begins_a_watch
from runbook.evidence.manifest import collection_name, due_collections, evidence_name
from runbook.incidents.events import ApprovalReminded, PostmortemDrafted, WatchStarted
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.public.gate import waiting
from runbook.value import Value


class NextUp(Value):
    """Something that happens without anybody's doing; `at` (aware UTC) is `None` where no clock says when."""

    at: datetime | None
    what: str


def next_up(incident: Incident, policy: Policy) -> tuple[NextUp, ...]:
    """What comes next, soonest first; what has no time comes last."""
    gate = incident.pending_gate
    found = _after(incident, policy) if incident.resolved else _updates(incident)
    if gate is not None:
        found += _notices(incident, gate, policy)
    elif not incident.resolved:
        found += _unasked(incident, policy)
    found += [
        NextUp(at=None, what=f"the text for the public ({it.text.state}) is published once somebody says so")
        for it in waiting(incident, policy)
    ]
    return tuple(sorted(found, key=lambda it: (it.at is None, it.at.timestamp() if it.at else 0.0)))


def _unasked(incident: Incident, policy: Policy) -> list[NextUp]:
    """What an open incident goes on with while it asks nothing, also after a rejection."""
    found = []
    if (again := asks_again_at(incident)) is not None:
        found.append(NextUp(at=again, what="what was rejected for now is asked again"))
    watch = incident.last(WatchStarted)
    if incident.pause is not None:
        found.append(NextUp(at=next_look_at(incident, policy=policy), what="the checks are made again"))
    elif watch is not None and not begins_a_watch(incident) and not incident.changing:
        found.append(NextUp(at=None, what=f"watched until {'; '.join(watch.waiting_for)}"))
    return found


def _notices(incident: Incident, gate: PendingGate, policy: Policy) -> list[NextUp]:
    """The reminder and the page of an unanswered question, as `reminders.due_notice` sends them."""
    if gate_is_acknowledged(incident, gate.gate, policy_in_force(incident, policy)):
        return []
    given = {event.escalated for event in incident.events(ApprovalReminded) if event.gate == gate.gate}
    remind_at = gate.remind_at or gate.asked_at + timedelta(seconds=policy.remind_after_seconds)
    page_at = (gate.remind_at or gate.asked_at) + timedelta(seconds=policy.escalate_after_seconds)
    found = []
    if not given:
        found.append(NextUp(at=remind_at, what="without an answer the channel is reminded"))
    if True not in given:
        found.append(NextUp(at=page_at, what="without an answer a person is paged"))
    return found


def _updates(incident: Incident) -> list[NextUp]:
    """The updates that were promised last, those of one minute together: people read no seconds."""
    newest = {told.channel: told.next_update_at for told in incident.announcements}
    minutes: dict[datetime, dict[str, datetime]] = {}
    for channel, at in newest.items():
        if at is not None:
            minutes.setdefault(at.replace(second=0, microsecond=0), {})[channel] = at
    return [
        NextUp(at=min(at.values()), what=f"the update that was promised in {', '.join(at)}")
        for at in minutes.values()
    ]


def _after(incident: Incident, policy: Policy) -> list[NextUp]:
    """What is still collected and written after the end."""
    ended = incident.resolved_at
    if ended is None:
        return []
    ever = timedelta(seconds=max(policy.evidence_due_seconds, default=0))
    lacking = due_collections(incident, policy=policy, now=ended + ever)
    found = [
        NextUp(
            at=ended + timedelta(seconds=seconds),
            what=f"{evidence_name(collection_name(seconds))} is collected",
        )
        for seconds in policy.evidence_due_seconds
        if collection_name(seconds) in lacking
    ]
    if incident.last(PostmortemDrafted) is None:
        found.append(NextUp(at=None, what="the post-mortem is drafted"))
    return found
