"""Whether a change that was made still stands, or somebody has changed the same since.

GitOps controllers, operators and people put things back; errors may end by themselves meanwhile. So a field
that the runbook has set is read again for as long as it is taken for the cure.
"""

from typing import Any

from blocks.kubernetes.cluster import Cluster
from runbook.actions.catalogue import ChangePlan
from runbook.kubernetes.fields import Replicas, Setting
from runbook.kubernetes.ownership import FieldPath, last_written
from runbook.kubernetes.reversals import Reversal
from tasks.actions.changes import MITIGATIONS
from tasks.actions.changes.base import Lasting
from tasks.actions.changes.set_field import says


async def reversal(cluster: Cluster, plan: ChangePlan) -> Reversal | None:
    """How what the plan has set was changed since; `None` while it stands, and where nothing can tell.

    Raises:
        OutsideError: the target cannot be read.
    """
    if plan.setting is not None:
        return await _of_field(cluster, plan, plan.setting)
    mitigation = MITIGATIONS[plan.action.name]
    return await mitigation.reversal(cluster, plan) if isinstance(mitigation, Lasting) else None


async def _of_field(cluster: Cluster, plan: ChangePlan, made: Setting) -> Reversal | None:
    workload = await cluster.workload.read()
    field, was = made.field, plan.before.get(made.field.name)
    try:
        present = field.read(workload)
    except LookupError as error:  # it now comes from a reference, or its container is gone
        return _reversal(workload, field.path, f"{field.name}: {error}", put_back=False)
    if field.same(present, made.value):
        return None
    put_back = field.same(present, was)
    if isinstance(field, Replicas) and not put_back:  # an autoscaler, or somebody who scales further
        return None
    meant = "removed" if made.value is None else made.value
    again = " again" if put_back else ""
    return _reversal(
        workload, field.path, f"{says(field, present)}{again}, and was {meant}", put_back=put_back
    )


def _reversal(workload: dict[str, Any], path: FieldPath, detail: str, *, put_back: bool) -> Reversal:
    return Reversal(writing=last_written(workload, path), detail=detail, put_back=put_back)
