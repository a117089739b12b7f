"""`kubectl set resources --limits=memory=…` for pods that were killed for memory."""

from typing import TYPE_CHECKING

from runbook.actions.spec import CHANGES_WORKLOAD, ActionKind, ActionName, ActionSpec, Parameter, Proof, Risk
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.workload import WORKLOAD
from runbook.kubernetes.quantities import as_quantity, memory_bytes

if TYPE_CHECKING:
    from runbook.policy.policy import Policy


def memory_flaw(value: str, policy: "Policy") -> str | None:
    """Why this cannot be the new memory limit, `None` where it can."""
    try:
        wanted = memory_bytes(value)
    except ValueError as error:
        return str(error)
    if wanted > memory_bytes(policy.memory_ceiling):
        return f"{value} is above the ceiling of {policy.memory_ceiling} ([policy] memory_ceiling)"
    return None if wanted > 0 else "it must be greater than zero"


RAISE_MEMORY_LIMIT = ActionSpec(
    name=ActionName("raise_memory_limit"),
    title="Raise the memory limit",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the rollout finishes, no pod is killed for memory and the health endpoint says healthy",
    proof=Proof(checks=(HEALTH, WORKLOAD)),
    editable=(
        Parameter(
            name="memory",
            flaw=memory_flaw,
            bounds=lambda policy: f"such as 512Mi, at most {policy.memory_ceiling}",
            as_stored=lambda value: as_quantity(memory_bytes(value)),
        ),
    ),
    undo="restore the previous limit",
    reversible=True,
    rights=CHANGES_WORKLOAD,
)
