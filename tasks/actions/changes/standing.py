"""Whether a change that was made still stands, or somebody has changed the same since.

GitOps controllers, operators and people put things back; errors may end by themselves meanwhile. So a field
that the runbook has set is read again for as long as it is taken for the cure.
"""

from typing import Any

from blocks.kubernetes.cluster import Cluster
from blocks.kubernetes.revisions import revisions
from runbook.actions.catalogue import FINGERPRINT, ActionName, ChangePlan
from runbook.kubernetes.fields import Replicas, Setting
from runbook.kubernetes.ownership import CONTAINERS, FieldPath, last_written
from runbook.kubernetes.reversals import Reversal
from tasks.actions.changes.replace_api_key import NEW_KEY, PRESENT_KEY, key_mark
from tasks.actions.changes.roll_back import CHOSEN, REPLACED
from tasks.actions.changes.set_field import says


async def reversal(cluster: Cluster, plan: ChangePlan) -> Reversal | None:
    """How what the plan has set was changed since; `None` while it stands, and where nothing can tell.

    Raises:
        OutsideError: the target cannot be read.
    """
    if plan.setting is not None:
        return await _of_field(cluster, plan, plan.setting)
    if plan.action.name is ActionName.ROLL_BACK:
        return await _of_template(cluster, plan)
    if plan.action.name is ActionName.REPLACE_API_KEY:
        return await _of_key(cluster, plan)
    return None


async def _of_field(cluster: Cluster, plan: ChangePlan, made: Setting) -> Reversal | None:
    workload = await cluster.read_deployment()
    field, was = made.field, plan.before.get(made.field.name)
    try:
        present = field.read(workload)
    except LookupError as error:  # it comes from a reference by now, or its container is gone
        return _reversal(workload, field.path, f"{field.name}: {error}", put_back=False)
    if field.same(present, made.value):
        return None
    put_back = field.same(present, was)
    if isinstance(field, Replicas) and not put_back:  # an autoscaler, or whoever scales further
        return None
    meant = "removed" if made.value is None else made.value
    again = " again" if put_back else ""
    return _reversal(
        workload, field.path, f"{says(field, present)}{again}, and was {meant}", put_back=put_back
    )


async def _of_template(cluster: Cluster, plan: ChangePlan) -> Reversal | None:
    """Only what the pods run counts: a restart writes into the template, too."""
    workload = await cluster.read_deployment()
    own = {item.mark: item for item in revisions(workload, await cluster.list_revisions())}
    chosen, replaced = own.get(plan.before[CHOSEN] or ""), own.get(plan.before[REPLACED] or "")
    live = workload["spec"]["template"]["spec"]
    if chosen is None or chosen.template["spec"] == live:
        return None
    put_back = replaced is not None and replaced.template["spec"] == live
    images = ", ".join(str(item.get("image", "")) for item in live["containers"])
    what = "the replaced revision is back" if put_back else "another pod template is in place"
    return _reversal(workload, CONTAINERS, f"{what} ({images})", put_back=put_back)


async def _of_key(cluster: Cluster, plan: ChangePlan) -> Reversal | None:
    secret = await cluster.read_secret_keys()
    name = cluster.secret_key
    present = key_mark(cluster, secret.values.get(name))
    if present == FINGERPRINT + plan.basis[NEW_KEY]:
        return None
    put_back = present == plan.bound.get(PRESENT_KEY)
    what = "the replaced key again" if put_back else "another key"
    return Reversal(
        writing=last_written(secret.as_object, ("f:data", f"f:{name}")),
        detail=f"{name} in Secret {cluster.secret_name} is {what}",
        put_back=put_back,
    )


def _reversal(workload: dict[str, Any], path: FieldPath, detail: str, *, put_back: bool) -> Reversal:
    return Reversal(writing=last_written(workload, path), detail=detail, put_back=put_back)
