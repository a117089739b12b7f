"""Remind: people are told of a gate that nobody answers, and of a switch that an incident left on."""

from blocks.channels.channel import Audience
from blocks.environment import Environment
from blocks.transport.errors import OutsideError
from runbook.actions.catalogue import PlannedAction
from runbook.approvals.acts import gate_is_acknowledged
from runbook.approvals.approvals import still_needed
from runbook.approvals.gates import PendingGate
from runbook.channels.cards.clock_reminders import reminder_card, reminder_name
from runbook.channels.reminders import (
    LeadNews,
    Notice,
    escalation_reason,
    lead_message,
    reminder_message,
    switch_message,
    switch_of,
)
from runbook.clocks.promises import DueClock, due_clocks
from runbook.clocks.snoozing import Reminder
from runbook.clocks.wording import clock_escalation, clock_reason
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import ApprovalReminded, ClockName, ClockReminded, LeadAssigned, SwitchChecked
from runbook.incidents.incident import Incident
from runbook.kubernetes.fields import EnvironmentVariable
from runbook.kubernetes.patches import main_container
from tasks.actions.by_hand import command_to_switch_off
from tasks.channels.deliver import arrived, got_through, say
from tasks.channels.links import incident_link
from tasks.channels.page import escalate, resolve_page
from tasks.incident import OpenIncident, now

REMIND = Authority.policy("remind")


async def remind_of_gate(incident: OpenIncident, notice: Notice) -> ApprovalReminded | None:
    """Bring an unanswered gate to people's notice: in the channel, or by a page when it is escalated.

    Journalled once it got through. `None` where it did not, and is due again; where there is no way to tell
    anybody; and where somebody has answered or acknowledged it in the meantime.
    """
    journal, gate = await incident.read(), notice.gate
    in_force = incident.policy_in_force(journal)
    if journal.pending_gate != gate or gate_is_acknowledged(journal, gate.gate, in_force):
        return None
    if notice.escalated:
        what = Escalation(kind=EscalationKind.UNANSWERED_GATE, subject=gate.gate)
        because = escalation_reason(journal, gate, time_zone=incident.policy.calendar.time_zone)
        told = await escalate(incident, what, because)
    else:
        told = await _remind(incident, journal, gate)
    if not told:
        return None
    event = ApprovalReminded(gate=gate.gate, escalated=notice.escalated)
    await incident.record_once(event)
    return event


async def _remind(incident: OpenIncident, journal: Incident, gate: PendingGate) -> bool:
    plan = journal.previews.get(gate.action_id)
    message = reminder_message(
        journal,
        gate,
        needed=still_needed(journal, plan, incident.policy) if plan else "",
        link=incident_link(journal),
        time_zone=incident.policy.calendar.time_zone,
    )
    name = MessageName.reminder(gate.gate)
    return got_through(await say(incident, journal, message, name=name, authority=REMIND, loud=True))


async def remind_of_clock(incident: OpenIncident, due: DueClock) -> ClockReminded | None:
    """Tell the lead in the thread that a clock nears its end, or page a person once it was missed.

    Journalled once the page got through, or a channel has taken the reminder: then a person can snooze it.
    `None` where none did, and it is due again, and where something was done about it in the meantime.
    """
    journal, zone = await incident.read(), incident.policy.calendar.time_zone
    team, public = audiences(incident.environment, journal)
    still_due = due_clocks(journal, team=team, public=public, policy=incident.policy, now=now())
    if due not in still_due:
        return None
    if due.missed:
        reason = clock_reason(journal, due, time_zone=zone)
        told = await escalate(incident, clock_escalation(due), reason)
    else:
        given, link = Reminder(due.event), incident_link(journal)
        message = reminder_card(journal, given, policy=incident.policy, now=now(), link=link)
        name, loud = reminder_name(due.event), due.clock is ClockName.PUBLIC_TEXT
        told = arrived(await say(incident, journal, message, name=name, authority=REMIND, loud=loud))
    if not told:
        return None
    await incident.record_once(due.event)
    return due.event


def audiences(environment: Environment, journal: Incident) -> tuple[list[str], list[str]]:
    """The channels in which colleagues are told where this incident stands, and those of the public.

    Support is among the colleagues, but for a rehearsal.
    """
    kinds: dict[Audience, list[str]] = {audience: [] for audience in Audience}
    for channel in environment.announcers:
        kinds[channel.audience].append(channel.kind)
    support = [] if journal.dry_run else kinds[Audience.SUPPORT]
    return [*kinds[Audience.TEAM], *support], kinds[Audience.PUBLIC]


async def tell_of_lead(incident: OpenIncident, news: LeadNews) -> LeadAssigned | None:
    """Tell the team who leads. `None` where it did not get through, and is due again."""
    journal = await incident.read()
    message = lead_message(journal, news, link=incident_link(journal))
    told = await say(incident, journal, message, name=news.name, authority=REMIND)
    return news.assigned if got_through(told) else None


async def report_switch(incident: OpenIncident, action: PlannedAction) -> SwitchChecked | None:
    """Look whether a switch that the incident left on still is, and tell the channel unless it is off.

    Journalled once that got through, or as told to nobody where there is no channel; `None` where it did not
    get through, and is due again. A page about a switch that is off again is resolved.
    """
    journal = await incident.read()
    check = await _check(incident, journal, action)
    number = sum(event.action_id == action.id for event in journal.events(SwitchChecked)) + 1
    name = MessageName.switch_left_on(action.id, number)
    if check.on is not False and incident.environment.speakers:
        message = switch_message(
            journal,
            action,
            check,
            command=command_to_switch_off(
                incident,
                switch_of(action, incident.policy_in_force(journal)),
                journal.previews.get(action.id),
            ),
            time_zone=incident.policy.calendar.time_zone,
        )
        if not got_through(await say(incident, journal, message, name=name, authority=REMIND, loud=True)):
            return None
    told = check.on is False or bool(incident.environment.speakers)
    check = check.model_copy(update={"told": told})
    await incident.record(check, key=check.key_of(number))
    if check.on is False and journal.outcome is not None and journal.outcome.good:
        await resolve_page(incident)
    return check


async def _check(incident: OpenIncident, journal: Incident, action: PlannedAction) -> SwitchChecked:
    """What the cluster says of the switch. A variable with any other value than the switch's is off."""
    switch = switch_of(action, incident.policy_in_force(journal))
    cluster, done = incident.environment.cluster, journal.previews.get(action.id)
    on: bool | None = None
    detail = ""
    try:
        workload = await cluster.workload.read()
        if done is not None and done.setting is not None:  # what was turned on, whatever is configured now
            on = done.setting.field.read(workload) == done.setting.value
        else:
            container = main_container(workload["spec"]["template"], cluster.container)
            variable = EnvironmentVariable(container=container, variable=switch.variable)
            on = variable.read(workload) == switch.value
    except (OutsideError, LookupError) as error:
        detail = str(error)
    return SwitchChecked(
        action_id=action.id, switch=f"{switch.variable}={switch.value}", on=on, detail=detail
    )
