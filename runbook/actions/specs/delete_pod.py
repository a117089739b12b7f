"""`kubectl delete pod` of one pod that is stuck."""

from runbook.actions.spec import ActionKind, ActionName, ActionSpec, Proof, Right, Risk
from runbook.checks.specs.workload import WORKLOAD

POD_UID = "uid"
"""The parameter of a deletion that tells the pod that triage saw from a later one of the same name."""

DELETE_POD = ActionSpec(
    name=ActionName("delete_pod"),
    title="Delete one stuck pod",
    kind=ActionKind.CHANGE,
    risk=Risk.LOW,
    success="another pod has taken its place and all are ready",
    proof=Proof(checks=(WORKLOAD,)),
    undo="nothing to undo: the workload's controller creates another pod",
    rights=(Right("delete", "pods"), Right("list", "poddisruptionbudgets", "policy")),
)
