"""The clock behind the gates: what people have to be reminded of now, and in which words.

A suspended run waits for an answer without a process, and a switch that was left on makes no noise. Time
alone only ever leads to a message: nothing is applied, and nothing is taken off, for lack of an answer.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from runbook.actions.catalogue import PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.switch import Switch
from runbook.approvals.acts import gate_is_acknowledged
from runbook.approvals.authority import act_counts
from runbook.approvals.gates import Choice, PendingGate
from runbook.channels.local_time import clock_after, stamp
from runbook.channels.messages import Message, notice_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import SUCCEEDED, EffectOutcome
from runbook.incidents.events import (
    ApprovalReminded,
    EffectSettled,
    LeadAssigned,
    SwitchChecked,
)
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switches_left_on
from runbook.incidents.report import DIGEST_LETTERS
from runbook.incidents.sentences import sentence
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

LONGEST_WAIT = timedelta(minutes=15)
"""A message that does not get through is tried again after as long as it is overdue, and at most this."""

REPORT_EVERY = timedelta(days=1)
"""How often people are told of a switch that an incident left on."""


class Notice(Value):
    """An unanswered gate that people have to be told about now; `escalated` pages one of them."""

    gate: PendingGate
    escalated: bool


def due_notice(incident: Incident, *, policy: Policy, now: datetime) -> Notice | None:
    """The notice that is due of the open gate: a reminder, later a page, each once per gate.

    A snooze moves both: its end is the time of the reminder, and the page follows from there. A page that is
    due makes up for a reminder that was missed. Neither is due of a question that somebody has acknowledged;
    a later question is another reason.
    """
    gate = incident.pending_gate
    if gate is None or gate_is_acknowledged(incident, gate.gate, policy_in_force(incident, policy)):
        return None
    remind_at = gate.remind_at or gate.asked_at + timedelta(seconds=policy.remind_after_seconds)
    escalate_at = (gate.remind_at or gate.asked_at) + timedelta(seconds=policy.escalate_after_seconds)
    notice = Notice(gate=gate, escalated=now >= escalate_at)
    given = {event.escalated for event in incident.events(ApprovalReminded) if event.gate == gate.gate}
    if notice.escalated in given:
        return None
    due_at = escalate_at if notice.escalated else remind_at
    return notice if is_time(incident, due_at, now) else None


class LeadNews(Value):
    """A lead of whom the team has to be told now, by the number of the assignment, from 1."""

    assigned: LeadAssigned
    number: int

    @property
    def name(self) -> MessageName:
        """What the message about it is called."""
        return MessageName.lead(self.number)


def due_lead(
    incident: Incident, *, channels: Collection[str], policy: Policy, now: datetime
) -> LeadNews | None:
    """The newest assignment of the lead, where the team does not know it yet in all of these channels.

    It is told beside the announcements, once there is one; not of a lead whom nobody may assign.
    """
    in_force, assigned = policy_in_force(incident, policy), incident.events(LeadAssigned)
    announced = any(told.channel in channels for told in incident.announcements)
    if not assigned or not announced or not act_counts(incident, assigned[-1], in_force):
        return None
    news = LeadNews(assigned=assigned[-1], number=len(assigned))
    arrived = {
        effect.kind
        for effect in incident.effects.values()
        if effect.message == news.name and effect.outcome in SUCCEEDED
    }
    at = max(item.at for item in incident.journal if isinstance(item.event, LeadAssigned))
    due = in_force.announce and not arrived.issuperset(channels) and is_time(incident, at, now)
    return news if due else None


def lead_message(incident: Incident, news: LeadNews, *, link: str) -> Message:
    """What the team is told of who leads, and who did before."""
    before = [event.lead for event in incident.events(LeadAssigned)][: news.number - 1]
    former = f"; before that it was {before[-1]}" if before and before[-1] != news.assigned.lead else ""
    return notice_message(f"{sentence(news.assigned)}{former}", link=link)


def due_reports(incidents: Iterable[Incident], *, now: datetime) -> list[tuple[Incident, PlannedAction]]:
    """The switches that ended incidents left on and of which people have to hear now.

    First a day after the incident's end, then once a day. Where several incidents turned the same switch on,
    it is the newest one's; while that one goes on, the switch is in use.
    """
    seen: set[tuple[str, ActionName]] = set()
    due = []
    for incident in sorted(incidents, key=lambda item: item.opened_at, reverse=True):
        for action in switches_left_on(incident):
            switch = (action.target, action.name)
            if switch not in seen and _report_is_due(incident, action, now):
                due.append((incident, action))
            seen.add(switch)
    return due


def _report_is_due(incident: Incident, action: PlannedAction, now: datetime) -> bool:
    if incident.resolved_at is None:
        return False
    reported = [
        item.at
        for item in incident.journal
        if isinstance(item.event, SwitchChecked) and item.event.action_id == action.id
    ]
    return is_time(incident, max([incident.resolved_at, *reported]) + REPORT_EVERY, now)


def is_time(incident: Incident, due_at: datetime, now: datetime) -> bool:
    """Whether a message is to be sent that is due since `due_at`: at once, or again after it has failed.

    Without the growing pause, a pager that refuses us all night would fill the journal. What failed before
    the message was due does not hold it up, nor does a message that could not be changed where it stands,
    or a file.
    """
    failed = [
        item.at
        for item in incident.journal
        if isinstance(item.event, EffectSettled)
        and not item.event.effect.is_change
        and item.event.effect.message.edited is None
        and not item.event.effect.message.is_file
        and item.event.effect.outcome in (EffectOutcome.FAILED, EffectOutcome.UNSETTLED)
    ]
    again_at = failed[-1] + min(failed[-1] - due_at, LONGEST_WAIT) if failed else due_at
    return now >= max(due_at, again_at)  # a failure before that brings nothing forward


def switch_of(action: PlannedAction, policy: Policy) -> Switch:
    """The environment variable that an action has turned on.

    Raises:
        LookupError: the action turns no temporary switch on.
    """
    return action.switch.setting(policy)


def reminder_message(
    incident: Incident, gate: PendingGate, *, needed: str, link: str, time_zone: str
) -> Message:
    """The reminder to the team. `needed` says who has to approve, where not anybody may."""
    asked = f"Asked by the runbook at {clock_after(gate.asked_at, incident.opened_at, time_zone)}"
    if incident.alert.requested_by:
        asked += f" for {incident.alert.requested_by}"
    if gate.remind_at:
        until = clock_after(gate.remind_at, incident.opened_at, time_zone)
        asked += f", snoozed{_by_whom(incident, gate)} until {until}"
    values = {
        "incident": incident,
        "question": _first_line(gate.question),
        "asked": asked,
        "needed": needed,
        "link": link,
        "plan": gate.plan_digest[:DIGEST_LETTERS],
    }
    return Message("reminder", values)


def escalation_reason(incident: Incident, gate: PendingGate, *, time_zone: str) -> str:
    """Why a person is paged about a gate: the same words at every try, and other words for another gate."""
    asked_at = clock_after(gate.asked_at, incident.opened_at, time_zone)
    return (
        f"nobody has answered {gate.gate} since {asked_at}: {_first_line(gate.question)} "
        f"Answer with `runbook approve {incident.id} --plan {gate.plan_digest[:DIGEST_LETTERS]}`; "
        "without an answer nothing is changed"
    )


def switch_message(
    incident: Incident, action: PlannedAction, check: SwitchChecked, *, command: str, time_zone: str
) -> Message:
    """What the team is told of a switch that is, or may be, still on; `command` takes it off by hand."""
    ended = stamp(incident.resolved_at or incident.opened_at, time_zone)
    what = f"{check.switch} on {action.target}"
    values = {"incident": incident, "check": check, "what": what, "ended": ended, "command": command}
    return Message("switch_left_on", values)


def _by_whom(incident: Incident, gate: PendingGate) -> str:
    snoozes = [
        event.answer.approver
        for event in incident.answers
        if event.action_id == gate.action_id and event.answer.choice is Choice.SNOOZE
    ]
    return f" by {snoozes[-1]}" if snoozes else ""


def _first_line(question: str) -> str:
    lines = (line.strip("#* ").strip() for line in question.splitlines())
    return next((line for line in lines if line), "")
