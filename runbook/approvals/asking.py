"""How a plan's question is asked: under a name that nobody can guess; after a crash, the same one."""

from typing import Any

from runbook.actions.catalogue import ChangePlan
from runbook.approvals.gates import Choice, InvalidAnswer, PendingGate
from runbook.decision.verdict import Decision
from runbook.evidence.manifest import gap_before_change
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested, DecisionMade
from runbook.incidents.incident import Incident

ASKED_AFRESH = 5
"""How many of a plan's gates may end without an answer: after that, the open one is asked again unchanged.

So a flood of forms that are no answer fills no journal, and the clocks of the reminders go on."""


class ForeignForm(InvalidAnswer):
    """A form that was not filled in for this question: it may have been forged."""


def gate_name(journal: Incident, plan: ChangePlan, token: str) -> str:
    """The name of the next gate and of its form in Prefect: `1-enable-fallback-2-9f86d081884c7d65`.

    `token` is random, in lower-case letters and digits: nobody can answer before there is a question.
    """
    return f"{plan.action.id}-{len(journal.events(ApprovalRequested)) + 1}-{token}"


def was_asked(journal: Incident, plan: ChangePlan) -> bool:
    """Whether people were asked about exactly this plan."""
    asked = journal.events(ApprovalRequested)
    return any(it.action_id == plan.action.id and plan.known_as(it.plan_digest) for it in asked)


def may_ask_afresh(journal: Incident, plan: ChangePlan) -> bool:
    """Whether a form that is no answer is journalled, and the question asked under a new name."""
    answered = {event.gate for event in journal.events(ApprovalAnswered)}
    asked = [
        event.gate
        for event in journal.events(ApprovalRequested)
        if event.action_id == plan.action.id and plan.known_as(event.plan_digest)
    ]
    return len(set(asked) - answered) <= ASKED_AFRESH


def unasked_answers(journal: Incident) -> list[ApprovalAnswered]:
    """Answers at gates that had asked nothing by then: lines that somebody has written into the store."""
    answered = journal.answers
    return [event for event in journal.events(ApprovalAnswered) if event not in answered]


def decision_agreed_to(journal: Incident) -> Decision | None:
    """The decision of this round if people have agreed to the change that it asked about last.

    What comes before the question was done then. `None` also once that change has ended.
    """
    asked, decision = asked_last(journal), journal.decision
    if asked is None or asked.action_id in journal.results:
        return None
    agreed = (
        answer.gate == asked.gate and answer.answer.choice is Choice.APPROVE for answer in journal.answers
    )
    return decision if any(agreed) else None


def asked_last(journal: Incident) -> ApprovalRequested | None:
    """The newest question of this round if all before it was done; `None` once the incident has ended.

    Evidence that could not be kept is no such thing: it is tried again before the change that destroys it.
    """
    if journal.resolved or gap_before_change(journal):
        return None
    for item in reversed(journal.journal):
        if isinstance(item.event, DecisionMade):
            return None
        if isinstance(item.event, ApprovalRequested):
            made = journal.last(DecisionMade)
            return item.event if made is not None and made.round == journal.round else None
    return None


def require_for(gate: PendingGate, form: dict[str, Any]) -> None:
    """Make sure that a form was filled in for this gate, and for its plan.

    Raises:
        ForeignForm: it does not say so. Fields are optional in Prefect, so that one can be left out.
    """
    named = {"gate": gate.gate} | ({"plan": gate.plan_digest} if gate.bound else {})
    wrong = [name for name, value in named.items() if form.get(name) != value]
    if wrong:
        raise ForeignForm(
            f"it does not match this {' and '.join(wrong)}: it was filled in for another question, or forged"
        )
