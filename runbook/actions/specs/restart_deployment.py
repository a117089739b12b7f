"""The runbook's `kubectl rollout restart`."""

from runbook.actions.spec import CHANGES_WORKLOAD, ActionKind, ActionName, ActionSpec, Proof, Risk
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.workload import WORKLOAD

RESTART_DEPLOYMENT = ActionSpec(
    name=ActionName("restart_deployment"),
    title="Restart the pods",
    kind=ActionKind.CHANGE,
    risk=Risk.LOW,
    success="the rollout finishes and the health endpoint says healthy",
    proof=Proof(checks=(HEALTH, WORKLOAD)),
    undo="nothing to undo: only the restart time in the pod template changes",
    rights=CHANGES_WORKLOAD,
)
