"""The undo of whatever did not help: what it had set is put back, and nothing else."""

from collections.abc import Iterable, Mapping

from blocks.kubernetes.rollout import available_pods
from blocks.transport.errors import Conflict, OutsideError
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.actions.spec import ActionName
from tasks.actions.changes.base import Change, Mitigation, Reversible, Step
from tasks.actions.changes.workload import blocked

PUT_BACK = "everything that the change had set has its previous value"


class Undo:
    """Finds the action's own way back in the catalogue."""

    def __init__(self, mitigations: Mapping[ActionName, Mitigation]) -> None:
        self._mitigations = mitigations

    async def preview(self, change: Change) -> ChangePlan:
        """The plan of the way back."""
        if change.done is None:
            return blocked(change, "the plan that it would undo is not in the journal")
        return await self._reversible(change.done).preview_undo(change, change.done)

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """The requests of the way back."""
        if change.done is None:
            raise LookupError(f"{change.action.id}: nothing to undo")
        return self._reversible(change.done).undo_steps(change, plan, change.done)

    def _reversible(self, done: ChangePlan) -> Reversible:
        mitigation = self._mitigations[done.action.name]
        if not isinstance(mitigation, Reversible):
            raise TypeError(f"{done.action.name} cannot be undone")
        return mitigation


async def judge_undo(
    change: Change, steps: Iterable[Step], outcome: ActionOutcome, detail: str
) -> tuple[ActionOutcome, str]:
    """How an undo has ended whose rollout ended so: by what it put back, and by *not worse than before*.

    A rollout may not finish for a reason that was there before. It has failed where somebody has changed the
    same since; it has not recovered where fewer pods are available than before the change. What cannot be
    read, or was not noted by an earlier release, leaves the rollout's word.
    """
    if outcome is ActionOutcome.DONE:
        return outcome, detail
    try:
        for step in steps:
            if await step.observe() is None:
                return ActionOutcome.FAILED, f"it was undone, and has changed again; {detail}"
        available = available_pods(await change.environment.cluster.workload.read())
    except Conflict as error:
        return ActionOutcome.FAILED, f"it was undone, and has changed again: {error}; {detail}"
    except OutsideError as error:
        return ActionOutcome.UNKNOWN, f"{detail}; it cannot be read again: {error}"
    before = change.done.available if change.done else None
    if before is None:
        return outcome, f"{PUT_BACK}; {detail}"
    pods = f"{available} pods available, {before} before the change"
    if available < before:
        return ActionOutcome.NOT_RECOVERED, f"{PUT_BACK}, but {pods}: {detail}"
    return ActionOutcome.DONE, f"{PUT_BACK}, and it is not worse than before ({pods}), but {detail}"
