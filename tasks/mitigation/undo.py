"""The undo of whatever did not help: what it had set is put back, and nothing else."""

from collections.abc import Mapping

from runbook.actions import ActionName, ChangePlan
from tasks.mitigation.base import Change, Mitigation, Reversible, Step
from tasks.mitigation.workload import blocked


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
