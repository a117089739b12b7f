"""`kubectl set resources --limits=memory=…`: a higher limit for the container that was killed."""

from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT, memory_flaw
from runbook.kubernetes.fields import MemoryLimit
from runbook.kubernetes.quantities import memory_bytes
from tasks.actions.changes.base import Change, Mitigations
from tasks.actions.changes.set_field import SetField
from tasks.actions.changes.workload import container_of


def _objection(change: Change, present: str | None) -> str | None:
    wanted = change.action.parameters["memory"]
    if present is None:
        return "the container has no memory limit, so it was not the limit that killed it"
    if memory_bytes(wanted) <= memory_bytes(present):
        return f"{wanted} is not above the present limit of {present}"
    return memory_flaw(wanted, change.policy)


MITIGATIONS: Mitigations = {
    RAISE_MEMORY_LIMIT: SetField(
        field=lambda change, workload: MemoryLimit(
            container=change.action.parameters.get("container") or container_of(change, workload)
        ),
        wanted=lambda change: change.action.parameters["memory"],
        objection=_objection,
        after_rollouts=True,
    )
}
