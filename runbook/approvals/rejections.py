"""What a rejection leads to: people do it by hand, are asked again, or have the runbook decide anew."""

from datetime import datetime, timedelta

from runbook.approvals.gates import ASK_AGAIN_MINUTES, Choice, Instead
from runbook.decision.verdict import Decision
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested, FactsChanged
from runbook.incidents.incident import Incident


def dispute_of(incident: Incident, action_id: str) -> FactsChanged | None:
    """The end of the round, where the newest answer about the action says that the verdict is wrong."""
    answers = [event for event in incident.answers if event.action_id == action_id]
    if not answers or answers[-1].answer.instead is not Instead.WRONG_VERDICT:
        return None
    answer = answers[-1].answer
    return FactsChanged(round=incident.round + 1, because=(answer.reason,), by=answer.approver)


def standing_rejection(journal: Incident, action_id: str) -> ApprovalAnswered | None:
    """The rejection of an action that nobody was asked about since; `None` where the last answer is another.

    It stands whatever has become of the target meanwhile: whoever rejects a change to make it by hand is the
    one who changes the target. An approval is for one exact plan; a rejection is of the change. What answers
    no question of ours, such as a line that somebody has written into the store, rejects nothing.
    """
    asked: set[str] = set()
    newest: ApprovalAnswered | None = None
    for item in journal.journal:
        match item.event:
            case ApprovalRequested() as event if event.action_id == action_id:
                asked.add(event.gate)
                newest = None
            case ApprovalAnswered() as event if event.action_id == action_id and event.gate in asked:
                asked.remove(event.gate)  # a gate takes no second answer
                newest = event
    return newest if newest is not None and newest.answer.choice is Choice.REJECT else None


def as_disputed(decision: Decision, incident: Incident) -> Decision:
    """The decision without a plan, where a person has said that its verdict is wrong.

    Their word stands for that verdict until the incident is over; another verdict has its plan.
    """
    disputed = decision.verdict in incident.disputed
    return decision.model_copy(update={"plan": ()}) if disputed else decision


def asks_again_at(incident: Incident) -> datetime | None:
    """When a question comes back that was rejected for now (aware UTC); `None` where none does."""
    due: datetime | None = None
    answers = incident.answers
    for item in incident.journal:
        match item.event:
            case ApprovalAnswered() as event if event.answer.choice is Choice.REJECT and event in answers:
                minutes = event.answer.snooze_minutes or ASK_AGAIN_MINUTES
                later = item.at + timedelta(minutes=minutes)
                due = later if event.answer.instead is Instead.NOTHING else due
            case FactsChanged():
                due = None
    return due


def question_comes_back(incident: Incident, now: datetime) -> FactsChanged | None:
    """The end of the round, where it is time to ask again."""
    due = asks_again_at(incident)
    if due is None or now < due:
        return None
    return FactsChanged(round=incident.round + 1, because=("the change was rejected for now only",))
