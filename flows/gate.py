"""The gate: the only place where a run suspends and a person decides.

A suspended run holds no process; on resume the flow runs again from the top and comes back here. The gate
then looks for an answer to exactly this plan in the journal, next for the form that was filled in, and only
then asks, each time under a fresh name. So an answer survives retries, crashes and code deploys, and an
answer to another or an older plan is never taken for this one.
"""

from datetime import timedelta
from typing import Any, Literal

from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput, keyset_from_base_key
from prefect.input.actions import aread_flow_run_input
from pydantic import Field, ValidationError, create_model

from flows.current_run import flow_run_id
from runbook.actions import ChangePlan
from runbook.approvals import acceptable, answers_to, decided, standing_approval, still_needed
from runbook.events import ApprovalAnswered, ApprovalRefused, ApprovalRequested
from runbook.evidence import gap_before_change
from runbook.gates import Answer, Choice, InvalidAnswer
from runbook.incident import Incident
from runbook.report import gate_question
from tasks.incident import OpenIncident, now

SNOOZE_MINUTES = 15


class ApprovalForm(RunInput):
    """The form in the Prefect UI. Parameters that may be edited are added for each gate."""

    decision: Literal["approve", "reject", "edit", "snooze"] = Field(
        title="Decision",
        description=(
            "approve makes exactly the change shown above; edit takes the parameters below and shows the new "
            "change; snooze (not yet) keeps the question open."
        ),
        json_schema_extra={"position": 0},
    )
    approver: str = Field(
        min_length=1,
        title="Approver",
        description="Who decides. Prefect does not prove it, so it is recorded as unverified.",
        json_schema_extra={"position": 1},
    )
    reason: str = Field(
        default="",
        title="Reason",
        description="Needed for a rejection; welcome otherwise.",
        json_schema_extra={"position": 2},
    )
    snooze_minutes: int = Field(
        default=SNOOZE_MINUTES,
        ge=1,
        title="Snooze for",
        description="Minutes until the reminder, for snooze.",
        json_schema_extra={"position": 3},
    )


async def approval(incident: OpenIncident, plan: ChangePlan) -> ApprovalAnswered:
    """The deciding answer to this plan: approve, reject, or an edit that leads to another plan.

    Suspends the run until there is one. A policy, or the approval of the change that this undoes, may have
    decided already.

    Raises:
        prefect.exceptions.Pause: the run ends here and starts again when someone has answered.
    """
    journal = await incident.read()
    if found := decided(journal, plan, incident.policy):
        return found
    if standing := standing_approval(journal, plan, incident.policy):
        return await _record(incident, plan, f"standing-{plan.action.id}-{plan.digest[:8]}", standing)
    gate = _open_gate(journal, plan)
    if gate is not None:
        answered = await _answer_in_form(incident, plan, gate)
        if answered is not None and answered.answer.choice is Choice.EDIT:
            return answered
    if found := decided(await incident.read(), plan, incident.policy):
        return found
    await _ask(incident, plan)
    raise AssertionError("a suspended run does not come back here")


def _open_gate(journal: Incident, plan: ChangePlan) -> str | None:
    pending = journal.pending_gate
    if pending is None or (pending.action_id, pending.plan_digest) != (plan.action.id, plan.digest):
        return None
    return pending.gate


async def _answer_in_form(incident: OpenIncident, plan: ChangePlan, gate: str) -> ApprovalAnswered | None:
    """What was filled in for this gate, journalled; `None` where nothing acceptable was."""
    response = await aread_flow_run_input(
        key=keyset_from_base_key(f"suspended-{gate}")["response"], flow_run_id=flow_run_id()
    )
    if response is None:
        return None
    try:
        answer = acceptable(_answer(response, plan), await incident.read(), plan, incident.policy)
    except (ValidationError, InvalidAnswer) as error:
        because = str(error) if isinstance(error, InvalidAnswer) else "the form is incomplete"
        refused = ApprovalRefused(gate=gate, action_id=plan.action.id, because=because)
        await incident.record(refused, key=f"refused:{gate}")
        return None
    return await _record(incident, plan, gate, answer)


def _answer(response: dict[str, Any], plan: ChangePlan) -> Answer:
    """The form as an answer; parameters that were left as they are are no edit."""
    given = {name: response[name] for name in ApprovalForm.model_fields if response.get(name) is not None}
    form = ApprovalForm.model_validate(given)
    choice = Choice(form.decision)
    parameters = {
        name: str(response[name]).strip()
        for name in plan.action.spec.editable
        if response.get(name) is not None and str(response[name]).strip() != plan.action.parameters.get(name)
    }
    if parameters and choice is Choice.APPROVE:
        raise InvalidAnswer("a parameter was changed: choose edit, look at the new change, then approve that")
    return Answer(
        choice=choice,
        approver=form.approver,
        reason=form.reason,
        parameters=parameters if choice is Choice.EDIT else {},
        snooze_minutes=form.snooze_minutes if choice is Choice.SNOOZE else None,
    )


async def _record(incident: OpenIncident, plan: ChangePlan, gate: str, answer: Answer) -> ApprovalAnswered:
    event = ApprovalAnswered(gate=gate, action_id=plan.action.id, plan_digest=plan.digest, answer=answer)
    recorded = await incident.record(event, key=f"answer:{gate}")
    if not isinstance(recorded.event, ApprovalAnswered):
        raise TypeError(f"{gate} is answered with {recorded.event.type}")
    return recorded.event


async def _ask(incident: OpenIncident, plan: ChangePlan) -> None:
    journal = await incident.read()
    gate = f"{plan.action.id}-{len(journal.events(ApprovalRequested)) + 1}"
    newest = next(reversed(answers_to(journal, plan)), None)
    snoozed = newest.answer.snooze_minutes if newest and newest.answer.choice is Choice.SNOOZE else None
    await incident.record(
        ApprovalRequested(
            gate=gate,
            action_id=plan.action.id,
            plan_digest=plan.digest,
            question=f"{plan.action.spec.title} on {plan.action.target}?",
            flow_run_id=str(flow_run_id()),
            remind_at=now() + timedelta(minutes=snoozed) if snoozed else None,
        ),
        key=f"ask:{gate}",
    )
    await incident.fence()
    question = gate_question(plan, still_needed(journal, plan, incident.policy), gap_before_change(journal))
    await asuspend_flow_run(
        wait_for_input=_form(plan, gate).with_initial_data(description=question), key=gate
    )


def _form(plan: ChangePlan, gate: str) -> type[ApprovalForm]:
    """The form of one gate: it takes this gate's name alone, so an answer to another does not validate."""
    fields: dict[str, Any] = {
        name: (
            str,
            Field(
                default=plan.action.parameters.get(name, ""),
                title=name.capitalize(),
                description="Change it and choose edit; a new preview follows.",
                json_schema_extra={"position": 4},
            ),
        )
        for name in plan.action.spec.editable
    }
    fields["gate"] = (Literal[gate], Field(default=gate, title="Gate", json_schema_extra={"position": 9}))
    return create_model("ApprovalForm", __base__=ApprovalForm, **fields)
