"""The gate: the only place where a run suspends and a person decides.

A suspended run holds no process; on resume the flow runs again from the top and comes back here. The gate
then looks for an answer to exactly this plan in the journal, next for the form that was filled in, and only
then asks, each time under a fresh name. So an answer survives retries, crashes and code deploys, and an
answer to another or an older plan is never taken for this one.
"""

from typing import Any, Literal

from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput, keyset_from_base_key
from prefect.input.actions import aread_flow_run_input
from pydantic import Field, ValidationError, create_model

from flows.current_run import flow_run_id
from runbook.actions import ChangePlan
from runbook.events import ApprovalAnswered, ApprovalRefused, ApprovalRequested
from runbook.gates import Answer, Choice, InvalidAnswer, accept
from runbook.incident import Incident
from runbook.report import gate_question
from tasks.incident import OpenIncident


class ApprovalForm(RunInput):
    """The form in the Prefect UI."""

    decision: Literal["approve", "reject", "not yet"] = Field(
        title="Decision",
        description="approve makes exactly the change shown above; not yet keeps the question open.",
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


async def approval(incident: OpenIncident, plan: ChangePlan) -> ApprovalAnswered:
    """The deciding answer to this plan: approve or reject. Suspends the run until there is one.

    Raises:
        prefect.exceptions.Pause: the run ends here and starts again when someone has answered.
    """
    journal = await incident.read()
    if decided := journal.decided(plan.action.id, plan.digest):
        return decided
    gate = _open_gate(journal, plan)
    if gate is not None:
        answered = await _answer_in_form(incident, plan, gate)
        if answered is not None and answered.answer.choice is not Choice.NOT_YET:
            return answered
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
        form = ApprovalForm.model_validate({key: response.get(key) for key in ApprovalForm.model_fields})
        answer = accept(Answer(choice=Choice(form.decision), approver=form.approver, reason=form.reason))
    except (ValidationError, InvalidAnswer) as error:
        because = str(error) if isinstance(error, InvalidAnswer) else "the form is incomplete"
        refused = ApprovalRefused(gate=gate, action_id=plan.action.id, because=because)
        await incident.record(refused, key=f"refused:{gate}")
        return None
    event = ApprovalAnswered(gate=gate, action_id=plan.action.id, plan_digest=plan.digest, answer=answer)
    recorded = await incident.record(event, key=f"answer:{gate}")
    return recorded.event if isinstance(recorded.event, ApprovalAnswered) else None


async def _ask(incident: OpenIncident, plan: ChangePlan) -> None:
    journal = await incident.read()
    gate = f"{plan.action.id}-{len(journal.events(ApprovalRequested)) + 1}"
    await incident.record(
        ApprovalRequested(
            gate=gate,
            action_id=plan.action.id,
            plan_digest=plan.digest,
            question=f"{plan.action.spec.title} on {plan.action.target}?",
            flow_run_id=str(flow_run_id()),
        ),
        key=f"ask:{gate}",
    )
    form = create_model(
        "ApprovalForm",
        __base__=ApprovalForm,
        gate=_only(gate),
    )
    await asuspend_flow_run(wait_for_input=form.with_initial_data(description=gate_question(plan)), key=gate)


def _only(gate: str) -> Any:
    """A field that takes this gate's name alone, so that an answer to another gate does not validate."""
    return (Literal[gate], Field(default=gate, title="Gate", json_schema_extra={"position": 3}))
