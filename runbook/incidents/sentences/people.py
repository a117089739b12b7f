"""What people do about an incident, in sentences."""

from runbook.approvals.identity import named
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.LeadAssigned) -> str:
    return _assigned(event, "lead")


@sentence.register
def _(event: e.CommsLeadAssigned) -> str:
    return _assigned(event, "communications lead")


@sentence.register
def _(event: e.SupportAssigned) -> str:
    return _assigned(event, "support contact")


@sentence.register
def _(event: e.IncidentAcknowledged) -> str:
    return f"{named(event.by, event.identity)} acknowledged the incident"


@sentence.register
def _(event: e.UpdateRequested) -> str:
    return f"{named(event.by, event.identity)} asked for an update"


@sentence.register
def _(event: e.ReminderSnoozed) -> str:
    until = f"until {event.until:%Y-%m-%d %H:%M} UTC"
    ends = ", when the time is up and a person is paged" if event.until >= event.due_at else ""
    return f"{named(event.by, event.identity)} snoozed the reminder of the {event.clock} {until}{ends}"


@sentence.register
def _(event: e.NoteAdded) -> str:
    by = named(event.by, event.identity) if event.identity else event.by
    return f"{by} noted: {event.text}"


def _assigned(event: e.LeadAssigned | e.CommsLeadAssigned | e.SupportAssigned, role: str) -> str:
    who = named(event.by, event.identity)
    if event.lead == event.by:
        return f"{who} is the {role} now"
    return f"{who} made {event.lead} the {role}"
