"""The questions of an incident as a channel shows them: a message for each, however often it is asked.

The same question is asked under a new name after a "not yet", and after each approval where several people
must approve: its message stays the same one. It is another question, with a message of its own, once the plan
is another, once an approval has expired or been rejected, and after a reopening.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from runbook.actions.catalogue import ChangePlan
from runbook.actions.essence import decisive_lines, essence, folded
from runbook.approvals.approvals import awaited, decided, still_needed
from runbook.approvals.gates import Choice
from runbook.channels.answered import answered_words
from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.card import Card
from runbook.channels.local_time import clock_after
from runbook.clocks.response import person_words, response_clock
from runbook.evidence.manifest import gap_before_change
from runbook.incidents import events as e
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.incident import Incident
from runbook.incidents.report import DIGEST_LETTERS
from runbook.policy.policy import Policy

NO_LONGER_ASKED = "no longer asked"
_MARKS = {Choice.APPROVE: "✅", Choice.REJECT: "⛔", Choice.EDIT: "✏️", Choice.SNOOZE: "💤"}
_OPEN, _OVER = "❓", "🚫"


@dataclass
class Question:
    """A question, the gates that have asked it, oldest first, and what was answered, each with its time."""

    plan_digest: str
    action_id: str
    gates: list[str]
    answers: list[tuple[e.ApprovalAnswered, datetime]] = field(default_factory=list)
    ended: str = ""
    """Why it is no longer asked, other than by an answer."""

    @property
    def name(self) -> MessageName:
        """What its message is called."""
        return MessageName.question(self.gates[0])


def questions(incident: Incident) -> list[Question]:
    """Every question that was asked, oldest first."""
    asked: list[Question] = []
    by_gate: dict[str, Question] = {}
    for item in incident.journal:
        match item.event:
            case e.ApprovalRequested() as event if event.gate not in by_gate:
                if not asked or not _goes_on(asked[-1], event):
                    asked.append(Question(event.plan_digest, event.action_id, []))
                asked[-1].gates.append(event.gate)
                by_gate[event.gate] = asked[-1]
            case e.ApprovalAnswered(gate=gate) as event if gate in by_gate:
                if gate not in {given.gate for given, _ in by_gate[gate].answers}:
                    by_gate[gate].answers.append((event, item.at))
            case e.ApprovalWithdrawn(gate=gate, because=because) if gate in by_gate:
                by_gate[gate].ended = by_gate[gate].ended or because
            case e.ApprovalExpired(action_id=action_id):
                _end(asked, "the approval has expired", action_id)
            case e.IncidentReopened():
                _end(asked, "the incident was reopened")
            case _:
                pass
    return asked


def _end(asked: list[Question], because: str, action_id: str = "") -> None:
    """End the newest question, of that action."""
    if asked and action_id in ("", asked[-1].action_id):
        asked[-1].ended = asked[-1].ended or because


def _goes_on(question: Question, event: e.ApprovalRequested) -> bool:
    choice = question.answers[-1][0].answer.choice if question.answers else None
    same = (question.action_id, question.plan_digest) == (event.action_id, event.plan_digest)
    return same and not question.ended and choice not in (Choice.REJECT, Choice.EDIT)


def is_open(incident: Incident, question: Question) -> bool:
    """Whether it can be answered now."""
    gate = incident.pending_gate
    return gate is not None and gate.gate == question.gates[-1]


def question_card(
    incident: Incident,
    question: Question,
    *,
    policy: Policy,
    now: datetime,
    link: str,
    newest: bool,
    whole_diff: str | None = None,
) -> Card | None:
    """The question as it stands at `now` (aware UTC); `None` where the journal does not have its plan.

    `newest`: no other question was asked after it. `whole_diff` is the address of the file with the diff in
    the thread, empty where it has none, `None` where it is not there.
    """
    plan = plan_of(incident, question)
    if plan is None:
        return None
    opened = is_open(incident, question)
    zone = policy.calendar.time_zone
    answers = [answered_words(given.answer, at) for given, at in question.answers]
    decisive = decisive_lines(plan.diff)
    asked = awaited(incident, plan, policy)
    gate = incident.pending_gate
    snoozed = gate.remind_at if opened and gate is not None else None
    values = {
        "mark": _mark(question, opened=opened),
        "essence": essence(plan) or plan.action.spec.title,
        "question": f"{plan.action.spec.title} on {plan.action.target}?",
        "answers": answers,
        "status": "" if opened else _status(incident, question, plan, policy, newest=newest),
        "progress": asked.progress if opened and asked.needed > 1 else "",
        "snoozed": clock_after(snoozed, incident.opened_at, zone) if snoozed else "",
        "decisive": decisive.text or folded(plan.diff),
        "complete": decisive.complete,
        "whole_diff": whole_diff,
        "affects": plan.affects,
        "who": (still_needed(incident, plan, policy) or "anyone may answer") if opened else "",
        "response": person_words(response_clock(incident, policy), now, zone) if opened else "",
        "gap": gap_before_change(incident) if opened else "",
        "incident": incident,
        "digest": plan.digest[:DIGEST_LETTERS],
        "link": link,
        "open": opened,
        "editable": bool(plan.action.spec.editable),
    }
    buttons = tuple(_buttons(incident, question, plan)) if opened else ()
    return Card("question", values, buttons)


def plan_of(incident: Incident, question: Question) -> ChangePlan | None:
    """The plan that it is about, as it was previewed last."""
    previews = (event.plan for event in reversed(list(incident.events(e.ActionPreviewed))))
    ours = (plan for plan in previews if plan.action.id == question.action_id)
    return next((plan for plan in ours if plan.known_as(question.plan_digest)), None)


def _buttons(incident: Incident, question: Question, plan: ChangePlan) -> Iterator[Button]:
    kinds = (ButtonKind.APPROVE, ButtonKind.REJECT, ButtonKind.EDIT, ButtonKind.SNOOZE)
    for kind in kinds:
        if kind is not ButtonKind.EDIT or plan.action.spec.editable:
            yield Button(kind=kind, incident=incident.id, gate=question.gates[-1], plan=question.plan_digest)


def _mark(question: Question, *, opened: bool) -> str:
    if opened:
        return _OPEN
    if question.ended or not question.answers:
        return _OVER
    return _MARKS[question.answers[-1][0].answer.choice]


def _status(incident: Incident, question: Question, plan: ChangePlan, policy: Policy, *, newest: bool) -> str:
    """Why nobody can answer it now, where the last answer does not say so itself."""
    if question.ended:
        return f"{NO_LONGER_ASKED}: {question.ended}"
    last = question.answers[-1][0].answer.choice if question.answers else None
    if last in (Choice.REJECT, Choice.EDIT):
        return ""
    if last is Choice.APPROVE and decided(incident, plan, policy) is not None:
        return ""
    if incident.resolved:
        return f"{NO_LONGER_ASKED}: the incident has ended"
    if not newest:
        return f"{NO_LONGER_ASKED}: another question has replaced it"
    return ""
