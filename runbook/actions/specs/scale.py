"""`kubectl scale`."""

from typing import TYPE_CHECKING

from runbook.actions.spec import CHANGES_WORKLOAD, ActionKind, ActionName, ActionSpec, Parameter, Proof, Risk
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.workload import WORKLOAD

if TYPE_CHECKING:
    from runbook.policy.policy import Policy


def replicas_flaw(value: str, policy: "Policy") -> str | None:
    """Why this cannot be the new number of pods, `None` where it can."""
    if not value.isdecimal() or not 1 <= int(value) <= policy.replicas_ceiling:
        return f"{value!r} is not a number from 1 to {policy.replicas_ceiling} ([policy] replicas_ceiling)"
    return None


SCALE = ActionSpec(
    name=ActionName("scale"),
    title="Change the number of pods",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the rollout finishes and the health endpoint says healthy",
    proof=Proof(checks=(HEALTH, WORKLOAD)),
    editable=(
        Parameter(
            name="replicas",
            flaw=replicas_flaw,
            bounds=lambda policy: f"a number from 1 to {policy.replicas_ceiling}",
            as_stored=lambda value: str(int(value)),
        ),
    ),
    undo="restore the previous number",
    reversible=True,
    rights=CHANGES_WORKLOAD,
)
