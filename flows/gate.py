"""The gate: the only place where a run suspends and a person decides.

A suspended run holds no process; on resume the flow runs again from the top and comes back here. The gate
then looks for an answer to exactly this plan in the journal, next for the form that was filled in, and only
then asks, under a new name that nobody can guess; its own question that is still open stays as it is.
So an answer survives retries, crashes and code deploys, and an answer to another or an older plan, or one
that was there before the question, is never taken for this one.
"""

import secrets
from datetime import timedelta
from typing import Any

from prefect.flow_runs import asuspend_flow_run
from pydantic import ValidationError

from flows.current_run import flow_run_id
from flows.gate_form import answer_of, filled_in, form_of, planted
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.approvals.approvals import acceptable, answers_to, decided, standing_approval, still_needed
from runbook.approvals.asking import (
    ForeignForm,
    asked_last,
    decision_agreed_to,
    gate_name,
    may_ask_afresh,
    unasked_answers,
)
from runbook.approvals.gates import Answer, Choice, InvalidAnswer, PendingGate
from runbook.approvals.rejections import standing_rejection
from runbook.decision.verdict import Decision
from runbook.evidence.manifest import gap_before_change
from runbook.incidents.events import AnswerPlanted, ApprovalAnswered, ApprovalRefused, ApprovalRequested
from runbook.incidents.incident import Incident
from runbook.incidents.report import gate_question, question_of
from runbook.incidents.sentences import sentence
from runbook.policy.in_force import policy_edits
from tasks.channels.shown import show_messages, warn_of_answers
from tasks.incident import OpenIncident, now
from tasks.story import fall_asleep_quietly, tell

_TOKEN_BYTES = 8


async def approval(incident: OpenIncident, plan: ChangePlan) -> ApprovalAnswered:
    """The deciding answer to this plan: approve, reject, or an edit that leads to another plan.

    Suspends the run until there is one. A policy, or the approval of the change that this undoes, may have
    decided already.

    Raises:
        prefect.exceptions.Pause: the run ends here and starts again when someone has answered.
    """
    journal = await incident.read()
    if found := decided(journal, plan, incident.policy):
        tell(sentence(found))  # whoever has answered has written it from elsewhere
        return found
    if standing := standing_approval(journal, plan, incident.policy):
        return await _record(incident, plan, f"standing-{plan.action.id}-{_token()}", standing)
    await _note_planted(incident, journal)
    if gate := _open_gate(journal, plan):
        answered = await _answer_in_form(incident, plan, gate)
        if answered is not None and answered.answer.choice is Choice.EDIT:
            return answered
    journal = await incident.read()
    if found := decided(journal, plan, incident.policy):
        return found
    gate = _open_gate(journal, plan)
    if gate is not None and (_is_ours(gate) or not may_ask_afresh(journal, plan)):
        await _ask_again(incident, plan, gate)
    await _ask(incident, plan)
    raise AssertionError("a suspended run does not come back here")


async def agreed_decision(incident: OpenIncident) -> Decision | None:
    """The decision whose change somebody has just agreed to, in the journal or in Prefect's form.

    Its response goes on with the change: people wait for that, and what comes before it was done.
    """
    journal = await incident.read()
    gate = journal.pending_gate
    if gate is None:
        return decision_agreed_to(journal)
    if (asked := asked_last(journal)) is None or asked.gate != gate.gate:
        return None
    form = await filled_in(gate.gate) or {}
    return journal.decision if form.get("decision") == Choice.APPROVE.value else None


async def rejection(incident: OpenIncident, action: PlannedAction) -> ApprovalAnswered | None:
    """The rejection of an action, in the journal or in Prefect's form, also where its target has changed."""
    journal = await incident.read()
    plan, gate = journal.previews.get(action.id), journal.pending_gate
    if plan is not None and gate is not None and _open_gate(journal, plan):
        form = await filled_in(gate.gate)
        if form is not None and form.get("decision") == Choice.REJECT.value:
            await _answer_in_form(incident, plan, gate)
            journal = await incident.read()
    return standing_rejection(journal, action.id)


def _token() -> str:
    return secrets.token_hex(_TOKEN_BYTES)


def _open_gate(journal: Incident, plan: ChangePlan) -> PendingGate | None:
    pending = journal.pending_gate
    if pending is None or pending.action_id != plan.action.id or not plan.known_as(pending.plan_digest):
        return None
    return pending


def _is_ours(gate: PendingGate) -> bool:
    """Whether this very run has asked, in this release's way: then nothing has been said, and it sleeps on.

    Whoever has woken it, reminder and page come by the time at which people were asked.
    """
    return gate.bound and gate.flow_run_id == str(flow_run_id())


async def _answer_in_form(
    incident: OpenIncident, plan: ChangePlan, gate: PendingGate
) -> ApprovalAnswered | None:
    """What was filled in for this gate, journalled; `None` where nothing acceptable was."""
    form = await filled_in(gate.gate)
    if form is None:
        return None
    try:
        answer = acceptable(answer_of(form, gate, plan), await incident.read(), plan, incident.policy)
    except (ValidationError, InvalidAnswer) as error:
        await _refuse(incident, plan, gate, error)
        return None
    return await _record(incident, plan, gate.gate, answer)


async def _refuse(incident: OpenIncident, plan: ChangePlan, gate: PendingGate, error: ValueError) -> None:
    """Journal that a form is no answer, while gates are asked afresh; report one for another question."""
    if may_ask_afresh(await incident.read(), plan):
        because = str(error) if isinstance(error, InvalidAnswer) else "the form is incomplete"
        refused = ApprovalRefused(gate=gate.gate, action_id=plan.action.id, because=because)
        await incident.record_once(refused)
    if isinstance(error, ForeignForm):
        await warn_of_answers(incident)


async def _note_planted(incident: OpenIncident, journal: Incident) -> None:
    """Answers in Prefect or the store that belong to no question of the runbook: reported once."""
    found = await planted([event.gate for event in journal.events(ApprovalRequested)])
    found += len(unasked_answers(journal))
    if found:
        run = str(flow_run_id())
        await incident.record_once(AnswerPlanted(flow_run_id=run, answers=found))
        await warn_of_answers(incident)


async def _record(incident: OpenIncident, plan: ChangePlan, gate: str, answer: Answer) -> ApprovalAnswered:
    event = ApprovalAnswered(gate=gate, action_id=plan.action.id, plan_digest=plan.digest, answer=answer)
    recorded = await incident.record_once(event)
    if not isinstance(recorded.event, ApprovalAnswered):
        raise TypeError(f"{gate} is answered with {recorded.event.type}")
    return recorded.event


async def _ask(incident: OpenIncident, plan: ChangePlan) -> None:
    journal = await incident.read()
    gate = gate_name(journal, plan, _token())
    newest = next(reversed(answers_to(journal, plan)), None)
    snoozed = newest.answer.snooze_minutes if newest and newest.answer.choice is Choice.SNOOZE else None
    await incident.record_once(
        ApprovalRequested(
            gate=gate,
            action_id=plan.action.id,
            plan_digest=plan.digest,
            question=question_of(plan),
            flow_run_id=str(flow_run_id()),
            remind_at=now() + timedelta(minutes=snoozed) if snoozed else None,
            bound=True,
        )
    )
    await _suspend(incident, plan, form_of(plan, gate), key=gate)


async def _ask_again(incident: OpenIncident, plan: ChangePlan, gate: PendingGate) -> None:
    """The same question under the same name, with another form: Prefect takes none twice."""
    await _suspend(incident, plan, form_of(plan, gate.gate), key=f"{gate.gate}-{_token()}")


async def _suspend(incident: OpenIncident, plan: ChangePlan, form: Any, *, key: str) -> None:
    await incident.fence()
    journal = await incident.read()
    needed = still_needed(journal, plan, incident.policy)
    who = needed or "anyone may answer"
    tell(f"Asks: {question_of(plan)} ({who}; `runbook incident {incident.id}`)")
    await show_messages(incident)
    fall_asleep_quietly()
    question = gate_question(plan, needed, policy_edits(journal), gap_before_change(journal))
    await asuspend_flow_run(wait_for_input=form.with_initial_data(description=question), key=key)
