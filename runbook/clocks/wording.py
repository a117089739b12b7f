"""What people are told of a clock: in the thread when it nears its end, and by a page when it was missed."""

from runbook.channels.local_time import clock_after
from runbook.channels.messages import Message, notice_message
from runbook.clocks.promises import DueClock
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from runbook.incidents.report import DIGEST_LETTERS
from runbook.public.proposals import proposals

_WHO = {e.ClockName.TEAM_UPDATE: "the team", e.ClockName.PUBLIC_UPDATE: "the public"}


_UNANSWERED = "nobody has said whether the text for the public is published"


def clock_message(
    incident: Incident, due: e.ClockReminded, *, lead: str, link: str, time_zone: str
) -> Message:
    """The reminder that a clock nears its end. `lead` is who is asked for it; empty for whoever reads it."""
    at, to = clock_after(due.due_at, incident.opened_at, time_zone), f"@{lead}: " if lead else ""
    if due.clock is e.ClockName.RESPONSE:
        text = f"⏰ {to}nobody has done anything about this yet; somebody has to by {at}. Take it:"
        return notice_message(f"{text} runbook ack {incident.id}; {later(incident)}", link=link)
    if due.clock is e.ClockName.PUBLIC_TEXT:
        page = "; the status page still shows the incident" if incident.resolved else ""
        put_off = "" if incident.resolved else f"; {later(incident)}"
        return notice_message(f"⏰ {to}{_UNANSWERED}{page}. {_how(incident, due)}{put_off}", link=link)
    text = f"⏰ {to}{_WHO[due.clock]} was promised an update by {at}"
    return notice_message(f"{text}. {_how(incident, due)}; {later(incident)}", link=link)


def later(incident: Incident) -> str:
    """How the reminder is put off."""
    return f"to be reminded again: runbook snooze {incident.id} --reminder"


def clock_escalation(due: DueClock) -> Escalation:
    """What a person is paged for once a clock was missed: the response once, each promise for itself."""
    if due.clock is e.ClockName.RESPONSE:
        return Escalation(kind=EscalationKind.NO_RESPONSE)
    subject = f"{due.clock} due {due.due_at.isoformat()}"
    return Escalation(kind=EscalationKind.UPDATE_MISSED, subject=subject)


def clock_reason(incident: Incident, due: DueClock, *, time_zone: str) -> str:
    """Why a person is paged: the same words at every try."""
    at = clock_after(due.due_at, incident.opened_at, time_zone)
    if due.clock is e.ClockName.RESPONSE:
        take = f"Take it: runbook ack {incident.id}"
        return f"nobody has done anything about this; somebody was due by {at}. {take}"
    if due.clock is e.ClockName.PUBLIC_TEXT:
        return f"{_UNANSWERED}, and somebody was due by {at}. {_how(incident, due)}"
    return f"{_WHO[due.clock]} was promised an update by {at} and got none. {_how(incident, due)}"


def _how(incident: Incident, due: DueClock | e.ClockReminded) -> str:
    known = f"if it can wait: runbook ack {incident.id}"
    if due.clock is e.ClockName.TEAM_UPDATE:
        return f"Tell it where things stand: runbook update {incident.id}; {known}"
    if waiting := [it.text.digest[:DIGEST_LETTERS] for it in proposals(incident) if it.waits]:
        publish = f"runbook publish {incident.id} --proposal {waiting[-1]}"
        return f"Read the text in the thread, and publish it: {publish} (or withhold); {known}"
    return f"Write it on the status page; {known}"
