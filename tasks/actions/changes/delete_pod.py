"""`kubectl delete pod`: one pod that is stuck while its siblings are well, or that holds a rollout up."""

from typing import Any

from blocks.kubernetes.pods import is_ready
from blocks.transport.errors import NotFound
from runbook.actions.catalogue import ChangePlan
from runbook.actions.specs.delete_pod import DELETE_POD, POD_UID
from runbook.kubernetes.diff import manifest_text, unified_diff
from runbook.kubernetes.held_rollout import CONTINUES
from tasks.actions.changes.base import Change, Mitigations, Step
from tasks.actions.changes.binding import place_of, require_bound
from tasks.actions.changes.rollout_under_way import rollout_first
from tasks.actions.changes.workload import (
    WORKLOAD,
    affected,
    blocked,
    in_place,
    spec_fingerprint,
    unchanged,
    version_of,
)
from tasks.effects import Receipt

UID = "pod uid"


class DeletePod:
    """Delete the very pod that was seen; another one of the same name is another pod.

    One that holds up the rollout of another change is deleted for the template that it was approved for:
    the pod that takes its place is made of it.
    """

    async def preview(self, change: Change) -> ChangePlan:
        """The pod that would go."""
        cluster, name = change.environment.cluster, change.action.parameters["pod"]
        pod = await _pod(change, name)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return in_place(change, f"pod {name} is gone already")
        if pod["metadata"]["uid"] != change.action.parameters.get(POD_UID, pod["metadata"]["uid"]):
            return in_place(change, f"the pod {name} that triage saw is gone, and another one has its name")
        continues = CONTINUES in change.action.parameters
        if continues and (await cluster.workload.rollout_status()).waits_for != name:
            return in_place(change, f"the rollout no longer waits for pod {name}")
        if not continues and is_ready(pod):
            return blocked(change, f"pod {name} is ready again: there is nothing stuck")
        if not continues and (waits := await rollout_first(change)):
            return waits
        uid = str(pod["metadata"]["uid"])
        await cluster.changes.delete_pod(name, uid=uid, dry_run=True)
        workload = await cluster.workload.read()
        template = {WORKLOAD: spec_fingerprint(workload)} if continues else {}
        return ChangePlan(
            action=change.action,
            diff=unified_diff(_brief(pod), None, name=f"pod {name}"),
            affects=(
                f"pod {name} ends, another one starts",
                *await affected(cluster, workload, restarts=False, deletes=True),
            ),
            live=manifest_text(_brief(pod)),
            basis={UID: uid, **template},
            bound=await place_of(change, workload),
            resource_versions={"pod": version_of(pod)},
        )

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """One deletion, bound to the pod's uid."""
        cluster, name = change.environment.cluster, change.action.parameters["pod"]
        uid = plan.basis[UID]

        async def observe() -> Receipt | None:
            pod = await _pod(change, name)
            gone = pod is None or pod["metadata"]["uid"] != uid or "deletionTimestamp" in pod["metadata"]
            return {"deleted": name} if gone else None

        async def act() -> Receipt:
            if WORKLOAD in plan.basis:
                await unchanged(change, plan)
            require_bound(plan, await place_of(change, await cluster.workload.read()))
            try:
                await cluster.changes.delete_pod(name, uid=uid)
            except NotFound:
                if await observe() is None:
                    raise
                return {"deleted": name, "by": "somebody else"}
            return {"deleted": name}

        return (Step("delete", f"pod {name}", f"delete pod {name}", observe, act),)


MITIGATIONS: Mitigations = {DELETE_POD: DeletePod()}


async def _pod(change: Change, name: str) -> dict[str, Any] | None:
    pods = await change.environment.cluster.workload.pods()
    return next((pod for pod in pods if pod["metadata"]["name"] == name), None)


def _brief(pod: dict[str, Any]) -> dict[str, Any]:
    """What tells the pod from others; its whole specification is the workload's template."""
    metadata = {
        key: pod["metadata"][key] for key in ("name", "namespace", "labels") if key in pod["metadata"]
    }
    containers = [
        {"name": item["name"], "image": item.get("image", "")} for item in pod["spec"]["containers"]
    ]
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}
