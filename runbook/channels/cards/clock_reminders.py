"""The reminder that a clock nears its end, as a channel shows it: with buttons until somebody has acted."""

from datetime import datetime

from runbook.approvals.authority import counts_in
from runbook.approvals.identity import named
from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.card import Card
from runbook.channels.local_time import clock_after
from runbook.clocks.response import response_clock
from runbook.clocks.snoozing import Reminder, ends_at, reminders
from runbook.clocks.wording import clock_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.events import ClockReminded
from runbook.incidents.incident import Incident
from runbook.incidents.people import lead_of
from runbook.policy.policy import Policy


def reminder_name(reminded: ClockReminded) -> MessageName:
    """What the message of a reminder is called."""
    return MessageName.clock(reminded.clock, reminded.due_at, reminded.again)


def given_reminders(incident: Incident, policy: Policy) -> tuple[Reminder, ...]:
    """The reminders that people were given, oldest first."""
    return reminders(incident, counts_in(incident, policy))


def reminder_card(incident: Incident, given: Reminder, *, policy: Policy, now: datetime, link: str) -> Card:
    """The reminder as it stands at `now` (aware UTC); no buttons once it is of no use any more."""
    event, zone = given.event, policy.calendar.time_zone
    lead = lead_of(incident) or policy.incident_commander
    message = clock_message(incident, event, lead=lead.strip().lstrip("@"), link=link, time_zone=zone)
    text = f"{message.values['text']}{_status(incident, given, zone)}"
    buttons: tuple[Button, ...] = ()
    ends = ends_at(event, response_clock(incident, policy).due_at)
    if not given.over and now < ends and not incident.resolved:
        later = Button(kind=ButtonKind.LATER, incident=incident.id, gate=event.journal_key)
        has_it = Button(kind=ButtonKind.ACK, incident=incident.id)
        buttons = (has_it,) if given.snoozed else (has_it, later)
    return Card(message.template, {**message.values, "text": text}, buttons)


def _status(incident: Incident, given: Reminder, zone: str) -> str:
    """What became of it."""
    over = f". ✅ Over: {given.over}" if given.over else ""
    if given.snoozed is None:
        return over
    until = clock_after(given.snoozed.until, incident.opened_at, zone)
    return f". 💤 Snoozed until {until} by {named(given.snoozed.by, given.snoozed.identity)}{over}"
