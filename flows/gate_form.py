"""The form of a gate in Prefect's UI: made for one question about one plan, and read as an answer to that."""

from typing import Any, Literal

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.input import RunInput
from prefect.input.actions import aread_flow_run_input
from pydantic import Field, create_model

from flows.current_run import flow_run_id
from runbook.actions.catalogue import ChangePlan
from runbook.actions.essence import essence
from runbook.approvals.asking import require_for
from runbook.approvals.gates import (
    ASK_AGAIN_MINUTES,
    SNOOZE_MINUTES,
    Answer,
    Choice,
    Instead,
    InvalidAnswer,
    PendingGate,
)
from runbook.incidents.report import question_of
from runbook.outside_text.markdown import inline

_KEY = "suspended-"
"""How the keys begin under which Prefect keeps the form of a suspended run, and what was filled in."""

_RESPONSE = "-response"
_LOOKED_AT = 200
"""How many inputs of a run Prefect returns at once."""


class ApprovalForm(RunInput):
    """The form in the Prefect UI. What depends on the question is added for each gate.

    As few fields as an answer takes: in the classic UI each costs the question above them its room.
    """

    decision: Literal["approve", "reject", "edit", "snooze"] = Field(
        title="Decision", json_schema_extra={"position": 0}
    )
    approver: str = Field(
        min_length=1,
        title="Approver",
        description="Your name; recorded as unverified.",
        json_schema_extra={"position": 1},
    )
    reason: str = Field(
        default="",
        title="Reason",
        description="Required to reject.",
        json_schema_extra={"position": 2},
    )
    instead: Literal["by-hand", "nothing", "wrong-verdict"] = Field(
        default="by-hand",
        title="If you reject",
        description="by-hand: you do it. nothing: ask again in an hour. wrong-verdict: triage again.",
        json_schema_extra={"position": 3},
    )


def form_of(plan: ChangePlan, gate: str) -> type[ApprovalForm]:
    """The form of one gate: it takes this gate and this plan alone, so that no other answer validates.

    What is decided stands at the decision itself, where both of Prefect's UIs show it whatever room they
    leave for the question. `edit` is a choice only where there is something to edit.
    """
    editable = plan.action.spec.editable
    choices = [choice.value for choice in Choice if editable or choice is not Choice.EDIT]
    decided = Field(
        title="Decision",
        description=inline(essence(plan) or question_of(plan)),
        json_schema_extra={"position": 0},
    )
    fields: dict[str, Any] = {"decision": (Literal[*choices], decided)}
    fields |= {
        parameter.name: (
            str,
            Field(
                default=plan.action.parameters.get(parameter.name, ""),
                title=parameter.name.capitalize(),
                description="To change it, choose edit.",
                json_schema_extra={"position": 4},
            ),
        )
        for parameter in editable
    }
    for position, (name, value) in enumerate({"gate": gate, "plan": plan.digest}.items(), start=8):
        described = Field(default=value, title=name.capitalize(), json_schema_extra={"position": position})
        fields[name] = (Literal[value], described)
    return create_model("ApprovalForm", __base__=ApprovalForm, **fields)


def answer_of(form: dict[str, Any], gate: PendingGate, plan: ChangePlan) -> Answer:
    """The form as an answer; parameters that were left as they are are no edit.

    Raises:
        ForeignForm: it was not filled in for this gate and this plan.
        InvalidAnswer: it says two things at once.
        ValidationError: a field is missing, or is nothing that the form would take.
    """
    require_for(gate, form)
    given = {name: form[name] for name in ApprovalForm.model_fields if form.get(name) is not None}
    filled_in = ApprovalForm.model_validate(given)
    choice = Choice(filled_in.decision)
    parameters = {
        name: str(form[name]).strip()
        for name in (parameter.name for parameter in plan.action.spec.editable)
        if form.get(name) is not None and str(form[name]).strip() != plan.action.parameters.get(name)
    }
    if parameters and choice is Choice.APPROVE:
        raise InvalidAnswer("a parameter was changed: choose edit, check the new change, then approve it")
    return Answer(
        choice=choice,
        approver=filled_in.approver,
        reason=filled_in.reason,
        parameters=parameters if choice is Choice.EDIT else {},
        snooze_minutes=_minutes(form, choice, filled_in.instead),
        instead=Instead(filled_in.instead) if choice is Choice.REJECT else None,
    )


def _minutes(form: dict[str, Any], choice: Choice, instead: str) -> int | None:
    """Minutes until the question comes back. Forms of the release before asked for those of a snooze, too."""
    if choice is Choice.SNOOZE:
        minutes = form.get("snooze_minutes")
        return minutes if isinstance(minutes, int) else SNOOZE_MINUTES
    return ASK_AGAIN_MINUTES if choice is Choice.REJECT and instead == Instead.NOTHING else None


async def filled_in(gate: str) -> dict[str, Any] | None:
    """What was filled in for this gate, `None` where nothing was.

    A gate that is asked again as it is has another form each time: the newest is the one that counts.
    """
    key = f"{_KEY}{gate}{_RESPONSE}"
    async with get_client() as client:
        states = await client.read_flow_run_states(flow_run_id())
    for state in sorted(states, key=lambda state: state.timestamp, reverse=True):
        keyset = state.state_details.run_input_keyset if state.type is StateType.PAUSED else None
        if keyset:
            newest = str(keyset["response"])
            key = newest if newest.startswith(f"{_KEY}{gate}-") else key
            break
    try:
        form = await aread_flow_run_input(key=key, flow_run_id=flow_run_id())
    except ValueError:  # it is not even JSON: Prefect takes whatever is written there
        return {}
    return form if form is None or isinstance(form, dict) else {}


async def planted(gates: list[str]) -> int:
    """How many answers Prefect has for this run that belong to none of these gates."""
    async with get_client() as client:
        found = await client.filter_flow_run_input(
            flow_run_id=flow_run_id(), key_prefix=_KEY, limit=_LOOKED_AT, exclude_keys=set()
        )
    return sum(
        item.key.endswith(_RESPONSE) and not any(item.key.startswith(f"{_KEY}{gate}-") for gate in gates)
        for item in found
    )
