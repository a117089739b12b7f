"""The parameters that an approver may change at a gate, and their bounds."""

from collections.abc import Callable

from runbook.actions.catalogue import PlannedAction
from runbook.approvals.gates import InvalidAnswer
from runbook.kubernetes.quantities import as_quantity, memory_bytes
from runbook.policy.policy import Policy


def edited(action: PlannedAction, parameters: dict[str, str], *, policy: Policy) -> PlannedAction:
    """The action with other parameters, each written as the API server gives it back: 1Gi for 1024Mi.

    So what is read there later can be compared with what was asked for.

    Raises:
        InvalidAnswer: a parameter is not one that may be changed, or its value is out of bounds.
    """
    values: dict[str, str] = {}
    for name, value in parameters.items():
        if name not in action.spec.editable:
            allowed = ", ".join(action.spec.editable) or "nothing"
            raise InvalidAnswer(f"{name!r} cannot be changed here; what can be: {allowed}")
        flaw_of, as_stored = _KINDS[name]
        if flaw := flaw_of(value.strip(), policy):
            raise InvalidAnswer(f"{name}: {flaw}")
        values[name] = as_stored(value)
    return action.model_copy(update={"parameters": action.parameters | values})


def memory_flaw(value: str, policy: Policy) -> str | None:
    """Why this cannot be the new memory limit, `None` where it can."""
    try:
        wanted = memory_bytes(value)
    except ValueError as error:
        return str(error)
    if wanted > memory_bytes(policy.memory_ceiling):
        return f"{value} is above the ceiling of {policy.memory_ceiling} ([policy] memory_ceiling)"
    return None if wanted > 0 else "it must be more than nothing"


def replicas_flaw(value: str, policy: Policy) -> str | None:
    """Why this cannot be the new number of pods, `None` where it can."""
    if not value.isdecimal() or not 1 <= int(value) <= policy.replicas_ceiling:
        return f"{value!r} is not a number from 1 to {policy.replicas_ceiling} ([policy] replicas_ceiling)"
    return None


_KINDS: dict[str, tuple[Callable[[str, Policy], str | None], Callable[[str], str]]] = {
    "memory": (memory_flaw, lambda value: as_quantity(memory_bytes(value))),
    "replicas": (replicas_flaw, lambda value: str(int(value))),
}
