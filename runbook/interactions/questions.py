"""The question that a button belongs to: open, answered, or no longer asked."""

from datetime import datetime

from runbook.actions.catalogue import ChangePlan
from runbook.approvals.gates import PendingGate
from runbook.channels.answered import answered_words
from runbook.channels.buttons import Button
from runbook.incidents.events import (
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalRequested,
    ApprovalWithdrawn,
)
from runbook.incidents.incident import Incident
from runbook.value import Value


class Standing(Value):
    """The answer to a question, and when the journal took it (aware UTC); `new` where that is just now."""

    event: ApprovalAnswered
    at: datetime
    new: bool = False

    @property
    def words(self) -> str:
        """Who answered what, and when."""
        return answered_words(self.event.answer, self.at)


class NotAsked(ValueError):
    """The question of a button is not open; the text says why."""


def standing_answer(incident: Incident, gate: str) -> Standing | None:
    """The answer to that gate: the first one in the journal."""
    for item in incident.journal:
        if isinstance(item.event, ApprovalAnswered) and item.event.gate == gate:
            return Standing(event=item.event, at=item.at)
    return None


def open_question(incident: Incident, button: Button) -> tuple[PendingGate, ChangePlan]:
    """The open question of a button, with its plan.

    Raises:
        NotAsked: it is not open, or about another plan.
    """
    gate = incident.pending_gate
    if gate is None or gate.gate != button.gate:
        raise NotAsked(_why_not(incident, button))
    plan = incident.previews.get(gate.action_id)
    if gate.plan_digest != button.plan:
        raise NotAsked("the question is about another plan by now")
    if plan is None or not plan.known_as(gate.plan_digest):
        raise NotAsked("the plan in question is being prepared again")
    return gate, plan


def _why_not(incident: Incident, button: Button) -> str:
    if standing := standing_answer(incident, button.gate):
        return f"it is answered: {standing.words}"
    if incident.resolved:
        return f"{incident.id} has ended"
    for item in incident.journal:
        match item.event:
            case ApprovalWithdrawn(gate=button.gate) as event:
                return f"the question was withdrawn at {item.at:%H:%M} UTC: {event.because}"
            case ApprovalRefused(gate=button.gate) as event:
                return f"an answer was refused at {item.at:%H:%M} UTC, and it is asked again: {event.because}"
            case _:
                continue
    if button.gate not in (event.gate for event in incident.events(ApprovalRequested)):
        return "there is no such question"
    return "it is no longer asked"


def request_of(incident: Incident, gate: str) -> ApprovalRequested | None:
    """How that gate was asked."""
    return next((event for event in incident.events(ApprovalRequested) if event.gate == gate), None)


def was_asked_again(incident: Incident, event: ApprovalAnswered) -> bool:
    """Whether the question of an answer is asked under a newer gate, by the same message as before."""
    asked = incident.events(ApprovalRequested)
    newest = next((it for it in reversed(asked) if _is_about(it, event)), None)
    return newest is not None and newest.gate != event.gate


def _is_about(asked: ApprovalRequested, event: ApprovalAnswered) -> bool:
    return (asked.action_id, asked.plan_digest) == (event.action_id, event.plan_digest)


def still_decides(incident: Incident, event: ApprovalAnswered) -> bool:
    """Whether the run may still wait for that answer: it is to the question that was asked last."""
    newest = incident.last(ApprovalRequested)
    return newest is not None and newest.gate == event.gate and not incident.resolved
