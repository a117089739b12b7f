"""`kubectl rollout undo`."""

from typing import TYPE_CHECKING

from runbook.actions.spec import CHANGES_WORKLOAD, ActionKind, ActionName, ActionSpec, ByHand, Proof, Risk
from runbook.checks.findings import Check

if TYPE_CHECKING:
    from runbook.actions.by_hand import Target
    from runbook.actions.catalogue import ChangePlan

FROM_REVISION = "from_revision"
"""The parameter of a roll back that names the revision whose pods fail, by its number."""


def _undo_by_hand(done: "ChangePlan", target: "Target") -> list[str]:
    """Without a number kubectl goes to the revision before the newest: here the one that was replaced."""
    number = done.action.parameters.get(FROM_REVISION, "")
    to = f" --to-revision={number}" if number else ""
    return [
        target.kubectl(f"rollout history {target.reference}"),
        target.kubectl(f"rollout undo {target.reference}{to}"),
    ]


ROLL_BACK = ActionSpec(
    name=ActionName("roll_back"),
    title="Roll back to an earlier revision",
    kind=ActionKind.CHANGE,
    risk=Risk.HIGH,
    success="the rollout finishes and the health endpoint says healthy",
    proof=Proof(checks=(Check.HEALTH, Check.WORKLOAD)),
    undo="roll forward to the revision that was replaced",
    reversible=True,
    undo_by_hand=_undo_by_hand,
    by_hand=ByHand(
        when="A rollout shortly before the errors:",
        commands=lambda target, _policy: [
            target.kubectl(f"rollout {what} {target.reference}") for what in ("history", "undo")
        ],
    ),
    rights=CHANGES_WORKLOAD,
)
