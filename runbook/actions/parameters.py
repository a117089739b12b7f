"""The parameters that an approver may change at a gate, within the bounds that the action's spec names."""

from runbook.actions.catalogue import PlannedAction
from runbook.approvals.gates import InvalidAnswer
from runbook.policy.policy import Policy


def edited(action: PlannedAction, parameters: dict[str, str], *, policy: Policy) -> PlannedAction:
    """The action with other parameters, each written as the API server gives it back: 1Gi for 1024Mi.

    So what is read there later can be compared with what was asked for.

    Raises:
        InvalidAnswer: a parameter is not one that may be changed, or its value is out of bounds.
    """
    values: dict[str, str] = {}
    for name, value in parameters.items():
        parameter = action.spec.parameter(name)
        if parameter is None:
            allowed = ", ".join(item.name for item in action.spec.editable) or "nothing"
            raise InvalidAnswer(f"{name!r} cannot be changed here; what can be: {allowed}")
        if flaw := parameter.flaw(value.strip(), policy):
            raise InvalidAnswer(f"{name}: {flaw}")
        values[name] = parameter.as_stored(value)
    return action.model_copy(update={"parameters": action.parameters | values})
