"""The changes of the catalogue, each as a small class; `MITIGATIONS` says which name is which."""

from runbook.actions.catalogue import ActionName, ChangePlan
from tasks.actions.changes.base import Change, Mitigation, Step
from tasks.actions.changes.binding import at_its_place
from tasks.actions.changes.delete_pod import DeletePod
from tasks.actions.changes.replace_api_key import ReplaceApiKey
from tasks.actions.changes.restart import RestartDeployment
from tasks.actions.changes.roll_back import RollBack
from tasks.actions.changes.set_field import (
    disable_fallback,
    disable_queue,
    enable_fallback,
    enable_queue,
    raise_memory_limit,
    scale,
)
from tasks.actions.changes.undo import Undo

MITIGATIONS: dict[ActionName, Mitigation] = {
    ActionName.ENABLE_FALLBACK: enable_fallback,
    ActionName.DISABLE_FALLBACK: disable_fallback,
    ActionName.ENABLE_REQUEST_QUEUE: enable_queue,
    ActionName.DISABLE_REQUEST_QUEUE: disable_queue,
    ActionName.RAISE_MEMORY_LIMIT: raise_memory_limit,
    ActionName.SCALE: scale,
    ActionName.RESTART_DEPLOYMENT: RestartDeployment(),
    ActionName.ROLL_BACK: RollBack(),
    ActionName.REPLACE_API_KEY: ReplaceApiKey(),
    ActionName.DELETE_POD: DeletePod(),
}
MITIGATIONS[ActionName.UNDO] = Undo(MITIGATIONS)


def steps_of(change: Change, plan: ChangePlan) -> tuple[Step, ...]:
    """The requests of a plan in their order, each at its place only, see `tasks.actions.changes.binding`."""
    steps = MITIGATIONS[plan.action.name].steps(change, plan)
    return tuple(at_its_place(change, plan, step) for step in steps)


__all__ = ["MITIGATIONS", "Mitigation", "base", "binding", "standing", "steps_of", "undo", "workload"]
