"""What a person may do about an incident beside answering: lead it, acknowledge it, write a note, end it.

Everybody may whom `[policy.acts]` lets; none of it approves a change. What a journal says is checked again
before it has a consequence, as approvals are.
"""

from datetime import datetime
from enum import StrEnum

from runbook.approvals.authority import ActEvent, act_counts, counting, counts_in
from runbook.approvals.ends import forcing, merger, reopening, resolution
from runbook.approvals.gates import Choice, InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.approvals.names import MAX_NAME, name_flaw
from runbook.approvals.note_times import note_of
from runbook.approvals.people import known_as
from runbook.channels.told_state import ENDS_A_WORD
from runbook.clocks.response import response_clock
from runbook.clocks.snoozing import snoozing
from runbook.incidents.events import (
    ApprovalAnswered,
    ApprovalReminded,
    ApprovalRequested,
    ClockReminded,
    CommsLeadAssigned,
    IncidentAcknowledged,
    IncidentEscalated,
    IncidentMerged,
    IncidentReopened,
    LeadAssigned,
    NoteAdded,
    StateForced,
    StatusAnnounced,
    SupportAssigned,
    UpdateRequested,
)
from runbook.incidents.incident import Incident
from runbook.outside_text import let_in_line
from runbook.policy.policy import Policy
from runbook.public.answers import publication, withholding
from runbook.value import Value


class ActKind(StrEnum):
    """What a person does; the commands are called the same."""

    TAKE = "take"
    ASSIGN = "assign"
    COMMS = "comms"
    SUPPORT = "support"
    NOTE = "note"
    ACK = "ack"
    UPDATE = "update"
    SNOOZE = "snooze"
    STATE = "state"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    MERGE = "merge"
    PUBLISH = "publish"
    WITHHOLD = "withhold"


class Act(Value):
    """What a person wants to do, as they said it.

    `name` is whom `assign`, `comms` and `support` name; without one, the last two mean the person who
    says it. `text` and `at` are of a note: `at` as `time_of_note` reads it, empty for now. Of an end,
    `text` is the reason, `outcome` one of `runbook.approvals.ends.OUTCOMES`, `done` what was done by hand,
    and `into` the id of the incident that it is merged into. Of a text for the public, `proposal` is its
    digest or the beginning of one, `title` and `text` what it is published as instead, or why it is not. Of a
    snooze, `reminder` is the key of the reminder that was read, empty for the newest, and `minutes` how long.
    Of a `state` that is said before it is proved, `text` is the reason.
    """

    kind: ActKind
    name: str = ""
    text: str = ""
    at: str = ""
    outcome: str = ""
    done: str = ""
    into: str = ""
    proposal: str = ""
    title: str = ""
    reminder: str = ""
    minutes: int | None = None
    state: str = ""


class ActOnClosed(InvalidAnswer):
    """An act that a closed incident does not take."""


def event_of(
    act: Act,
    incident: Incident,
    *,
    by: str,
    identity: Identity,
    policy: Policy,
    now: datetime,
    target: Incident | None = None,
) -> ActEvent:
    """What an act is in the journal of that incident; `target` is the one that it is merged into.

    Raises:
        ActOnClosed: the incident is closed, and it is neither a note nor about a text for the public.
        InvalidAnswer: it does not say all that it needs, or names somebody in a way that hides who it is.
    """
    if not by.strip():
        raise InvalidAnswer("the name is empty: say who does this")
    zone = policy.calendar.time_zone
    if act.kind is ActKind.NOTE:
        return note_of(incident, text=act.text, at=act.at, by=by, identity=identity, zone=zone, now=now)
    if act.kind is ActKind.REOPEN:
        return reopening(incident, because=act.text, by=by, identity=identity)
    if act.kind is ActKind.PUBLISH:
        return publication(
            incident,
            proposal=act.proposal,
            body=act.text,
            title=act.title,
            by=by,
            identity=identity,
            policy=policy,
            counts=counting(incident, policy),
        )
    if act.kind is ActKind.WITHHOLD:
        return withholding(
            incident,
            proposal=act.proposal,
            because=act.text,
            by=by,
            identity=identity,
            counts=counting(incident, policy),
        )
    if incident.closed:
        raise ActOnClosed(f"{incident.id} is closed")
    if act.kind is ActKind.RESOLVE:
        return resolution(
            incident, outcome=act.outcome, because=act.text, done=act.done, by=by, identity=identity
        )
    if act.kind is ActKind.STATE:
        return forcing(incident, state=act.state, because=act.text, by=by, identity=identity)
    if act.kind is ActKind.MERGE:
        if target is None:
            raise InvalidAnswer("the other incident is missing: say which one it is merged into")
        return merger(incident, target, because=act.text, by=by, identity=identity)
    if act.kind is ActKind.ACK:
        return IncidentAcknowledged(by=by, identity=identity)
    if act.kind is ActKind.UPDATE:
        return UpdateRequested(by=by, identity=identity)
    if act.kind is ActKind.SNOOZE:
        return snoozing(
            incident,
            reminder=act.reminder,
            minutes=act.minutes,
            by=by,
            identity=identity,
            now=now,
            counts=counts_in(incident, policy),
            response_due=response_clock(incident, policy).due_at,
        )
    own = act.kind is ActKind.TAKE or (act.kind in _ROLES and not act.name.strip())
    lead = by if own else _checked(act.name, policy)
    return _ROLES.get(act.kind, LeadAssigned)(lead=lead, by=by, identity=identity)


_ROLES: dict[ActKind, type[CommsLeadAssigned | SupportAssigned]] = {
    ActKind.COMMS: CommsLeadAssigned,
    ActKind.SUPPORT: SupportAssigned,
}
"""The roles beside the lead."""


def _checked(name: str, policy: Policy) -> str:
    """The person's name in the settings, or as it is said.

    Raises:
        InvalidAnswer: it is empty, or hides what it is.
    """
    if not name.strip():
        raise InvalidAnswer("the name is empty: say who is to lead")
    if flaw := name_flaw(name):
        raise InvalidAnswer(f"nobody can be called {ascii(let_in_line(name, MAX_NAME))[1:-1]}: {flaw}")
    return known_as(name, policy.people)


def is_so_already(incident: Incident, event: ActEvent, policy: Policy) -> bool:
    """Whether the journal says this already, so that repeating it changes nothing.

    A note is always new, and so is a reopening or a merger, which the journal takes once.

    An acknowledgement is new again once something was asked, reminded of or paged after it; an update is
    asked for once, by whomever, until the channel was told something. A state is new again once the word on
    it holds no more. What does not count says nothing.
    """
    if isinstance(event, NoteAdded | IncidentReopened | IncidentMerged):
        return False
    counts = counts_in(incident, policy)
    for item in reversed(incident.journal):
        earlier = item.event
        if isinstance(event, StateForced) and isinstance(earlier, ENDS_A_WORD):
            return False
        if isinstance(event, IncidentAcknowledged) and isinstance(earlier, _TOLD):
            return False
        if isinstance(event, UpdateRequested) and isinstance(earlier, StatusAnnounced | UpdateRequested):
            return isinstance(earlier, UpdateRequested)
        if type(earlier) is not type(event) or not counts(earlier):
            continue
        same = bare(earlier) == bare(event)
        if same or not isinstance(event, IncidentAcknowledged):
            return same
    return False


_TOLD = (ApprovalRequested, ApprovalReminded, ClockReminded, IncidentEscalated)


def bare(event: Value) -> Value:
    """The event with how it is known who did it, but without the signature, which is never the same twice."""
    identity = getattr(event, "identity", None)
    bare = identity.model_copy(update={"signature": ""}) if identity is not None else None
    return event.model_copy(update={"identity": bare})


def gate_is_acknowledged(incident: Incident, gate: str, policy: Policy) -> bool:
    """Whether somebody who may has acknowledged the incident after that question was asked.

    The same question that comes back after a snooze is acknowledged as it was before. The journal's order
    counts, whatever the clocks say of those who wrote it.
    """
    asked: set[str] = set()
    acknowledged: set[str] = set()
    snoozed: ApprovalAnswered | None = None
    for item in incident.journal:
        match item.event:
            case ApprovalRequested() as event:
                asked.add(event.gate)
                if snoozed is not None and snoozed.gate in acknowledged and _asks_the_same(event, snoozed):
                    acknowledged.add(event.gate)
            case ApprovalAnswered() as event:
                snoozed = event if event.answer.choice is Choice.SNOOZE else None
            case IncidentAcknowledged() as event if act_counts(incident, event, policy):
                acknowledged |= asked
    return gate in acknowledged


def _asks_the_same(asked: ApprovalRequested, before: ApprovalAnswered) -> bool:
    return (asked.action_id, asked.plan_digest) == (before.action_id, before.plan_digest)
