"""The facts that a post-mortem draft is filled with, section by section; people judge them."""

from datetime import date, datetime

from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome
from runbook.approvals.gates import Answer
from runbook.channels.local_time import clock, in_zone, span, stamp
from runbook.channels.wording import ACTION_OUTCOMES
from runbook.checks.catalogue import check_title
from runbook.clocks.response import ResponseClock, ResponseState, response_words
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import effects_in_doubt, hand_offs, switches_left_on, unknown_checks
from runbook.incidents.sentences import sentence
from runbook.incidents.state import IncidentOutcome
from runbook.policy.business_hours import BusinessCalendar
from runbook.value import Value

DISAPPOINTING = frozenset(
    {
        ActionOutcome.NOT_RECOVERED,
        ActionOutcome.UNKNOWN,
        ActionOutcome.REVERTED,
        ActionOutcome.BLOCKED,
        ActionOutcome.FAILED,
    }
)


class ActionItem(Value):
    """Something left to do. `due` is only proposed where waiting does harm."""

    text: str
    due: date | None = None


def detection(
    incident: Incident,
    errors_from: datetime | None,
    response: ResponseClock,
    *,
    now: datetime,
    time_zone: str,
) -> list[str]:
    """How the incident came to be noticed, and how soon."""
    alert, opened = incident.alert, incident.opened_at
    facts = [f"{alert.source} reported {alert.name}: {alert.summary}"]
    begun = ((alert.starts_at, "The alert's condition began"), (errors_from, "Errors began to rise"))
    for moment, what in begun:
        if moment is not None:
            facts.append(f"{what} at {stamp(moment, time_zone)}, {_against(opened, moment)}")
    return [*facts, response_words(response, now, time_zone)]


def _against(opened: datetime, moment: datetime) -> str:
    if moment <= opened:
        return f"{span(opened - moment)} before the incident was opened"
    return f"{span(moment - opened)} after the incident was opened"


def _judged(response: ResponseClock) -> str:
    """Whether a person was there in time, in a sentence that says nothing of the runbook."""
    if response.met_at is None:
        return f"No person responded: one was due within {response.within} ({response.severity.value})"
    kept = "in time" if response.met_at <= response.due_at else "late"
    took = span(response.met_at - response.since)
    return f"First person after {took}: {kept} for {response.severity.value} ({response.within})"


def escalation(incident: Incident, time_zone: str) -> list[str]:
    """Who was paged and asked, and how long an answer took."""
    answers = {
        item.event.gate: (item.at, item.event.answer)
        for item in incident.journal
        if isinstance(item.event, e.ApprovalAnswered)
    }
    facts = []
    for item in incident.journal:
        if isinstance(item.event, e.IncidentEscalated):
            facts.append(f"{clock(item.at, time_zone)}: {sentence(item.event)}")
        elif isinstance(item.event, e.ApprovalRequested):
            reply = _reply(item.at, answers.get(item.event.gate))
            asked = f"approval of {item.event.action_id} was requested"
            facts.append(f"{clock(item.at, time_zone)}: {asked}; {reply}")
    return facts or ["Nobody was paged, and nothing needed an approval"]


def _reply(asked_at: datetime, answered: tuple[datetime, Answer] | None) -> str:
    if answered is None:
        return "the question was not answered"
    at, answer = answered
    return f"{answer.approver} answered “{answer.choice.value}” after {span(at - asked_at)}"


def recovery(incident: Incident) -> list[str]:
    """What was done, and how the response ended."""
    facts = [sentence(event) for event in incident.events(e.ActionFinished)] or ["No action was taken"]
    return [*facts, sentence(incident.end.event) if incident.end else "The response has not ended"]


def prevention(incident: Incident) -> list[str]:
    """Where the runbook could not help itself: what only people can do, and what it could not see."""
    facts = [f"Only a person can do this: {action.because.rstrip('.')}" for action in hand_offs(incident)]
    return facts + [
        f"The runbook could not see: {check_title(item.check)} ({item.summary})"
        for item in unknown_checks(incident)
    ]


def went_well(incident: Incident, response: ResponseClock, now: datetime) -> list[str]:
    """What the journal has to say in favour of the response."""
    facts = [_judged(response)] if response.state(now) is ResponseState.MET else []
    if response.verdict_at is not None:
        which = "Explained verdict" if response.certain else "Unknown verdict"
        facts.append(f"{which} after {span(response.verdict_at - response.since)}")
    if incident.findings and not unknown_checks(incident):
        facts.append("Every check of the triage had an answer")
    facts += [
        f"{result.action.spec.title}: {ACTION_OUTCOMES[result.outcome]}"
        for result in incident.results.values()
        if result.outcome is ActionOutcome.RECOVERED
    ]
    ended = incident.end.event if incident.end else None
    by_person = isinstance(ended, e.IncidentResolved) and ended.by
    if incident.outcome is IncidentOutcome.RECOVERED and not by_person:
        facts.append("The recovery was verified before it was announced")
    return facts


def went_poorly(incident: Incident, response: ResponseClock, now: datetime) -> list[str]:
    """What the journal has to say against it."""
    late = response.state(now) in (ResponseState.LATE, ResponseState.MISSED)
    facts = [_judged(response)] if late else []
    facts += ["No verdict was reached"] if response.verdict_at is None else []
    facts += [f"{check_title(item.check)} had no answer: {item.summary}" for item in unknown_checks(incident)]
    facts += [
        f"{result.action.spec.title}: {ACTION_OUTCOMES[result.outcome]}"
        for result in incident.results.values()
        if result.outcome in DISAPPOINTING
    ]
    facts += [sentence(event) for event in incident.events(e.ChangeReverted)]
    facts += [
        f"It is not known whether it happened: {effect.summary}" for effect in effects_in_doubt(incident)
    ]
    collected = incident.last(e.EvidenceCollected)
    if collected:
        facts += [f"Evidence is missing: {name} ({reason})" for name, reason in collected.missing.items()]
    facts += [
        f"Could not be written: {event.what} ({event.because})" for event in incident.events(e.FileNotWritten)
    ]
    return facts


def action_items(incident: Incident, now: datetime, calendar: BusinessCalendar) -> list[ActionItem]:
    """What the incident leaves behind. Switches left on are due on the next business day."""
    tomorrow = in_zone(calendar.next_business_day(now), calendar.time_zone).date()
    items = []
    for switch in switches_left_on(incident):
        off = switch.model_copy(update={"name": TEMPORARY_SWITCHES[switch.name]})
        items.append(
            ActionItem(text=f"{off.spec.title} on {off.target}, left on by this incident", due=tomorrow)
        )
    items += [
        ActionItem(text=f"Find out whether this happened: {effect.summary} ({effect.target})", due=tomorrow)
        for effect in effects_in_doubt(incident)
    ]
    items += [ActionItem(text=action.because.rstrip(".")) for action in hand_offs(incident)]
    items += [
        ActionItem(text=f"Make the check “{check_title(item.check)}” answer; it said: {item.summary}")
        for item in unknown_checks(incident)
    ]
    return items
