"""Give a field back to those who had set it by server-side apply, once it has their value again.

Without that their next apply of another value is refused: the runbook would still own the field.
"""

from contextlib import suppress

from blocks.transport.errors import Conflict, OutsideError
from runbook.actions.catalogue import ChangePlan
from runbook.kubernetes.ownership import handed_over, is_ours
from tasks.actions.changes.base import Change, Step
from tasks.actions.changes.workload import CONFLICTS, version_of
from tasks.effects import Receipt


def give_back_steps(change: Change, plan: ChangePlan) -> tuple[Step, ...]:
    """The request that changes nothing but `metadata.managedFields`; none where nobody is to have it back."""
    if plan.setting is None or not plan.give_back:
        return ()
    cluster, path = change.environment.cluster, plan.setting.field.path
    to = ", ".join(owner.title for owner in plan.give_back)

    async def observe() -> Receipt | None:
        return None if is_ours(await cluster.workload.read(), path) else {"owners": to}

    async def act() -> Receipt:
        """The field already has its value: that it keeps our name does not make the undo a failure."""
        try:
            for _ in range(CONFLICTS):
                workload = await cluster.workload.read()
                fields = handed_over(workload, path, plan.give_back)
                with suppress(Conflict):
                    await cluster.changes.patch_managed_fields(fields, resource_version=version_of(workload))
                    return {"owners": to}
        except OutsideError as error:
            return {"kept": str(error)}
        return {"kept": f"{change.action.target} keeps changing"}

    return (Step("give-back", change.action.target, f"give the field back to {to}", observe, act),)
