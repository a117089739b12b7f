"""`kubectl rollout undo`."""

from typing import TYPE_CHECKING

from runbook.actions.spec import CHANGES_WORKLOAD, ActionKind, ActionName, ActionSpec, ByHand, Proof, Risk
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.workload import WORKLOAD

if TYPE_CHECKING:
    from runbook.actions.by_hand import Target
    from runbook.actions.catalogue import ChangePlan

FROM_REVISION = "from_revision"
"""The parameter of a roll back that names the revision whose pods fail, by its number."""


CHOSEN_NUMBER = "REVISION"
"""The shell variable into which a person reads the revision that they have chosen."""


def _undo_by_hand(done: "ChangePlan", target: "Target") -> list[str]:
    """Right after a roll back kubectl's own choice is the revision that was replaced.

    Plans of earlier releases may name no number.
    """
    number = done.action.parameters.get(FROM_REVISION, "")
    history = target.kubectl(f"rollout history {target.reference}")
    if not number:
        return [history, target.kubectl(f"rollout undo {target.reference}")]
    return [history, roll_back_command(target, number)]


def _roll_back_by_hand(target: "Target") -> list[str]:
    """Without a number kubectl would take the revision before the newest, which is often as bad."""
    return [
        f"read -rp 'Number of the revision to go back to: ' {CHOSEN_NUMBER}",
        roll_back_command(target, f'"${CHOSEN_NUMBER}"'),
        target.kubectl(f"rollout status {target.reference}"),
    ]


def roll_back_command(target: "Target", number: str) -> str:
    """What to type to go to a revision; without a number kubectl takes the one before the newest."""
    return target.kubectl(f"rollout undo {target.reference} --to-revision={number}")


ROLL_BACK = ActionSpec(
    name=ActionName("roll_back"),
    title="Roll back to an earlier revision",
    kind=ActionKind.CHANGE,
    risk=Risk.HIGH,
    success="the rollout finishes and the health endpoint says healthy",
    proof=Proof(checks=(HEALTH, WORKLOAD)),
    undo=(
        "the earlier revision stays and a person is paged, because the replaced one failed; if fewer pods "
        "are available than before, roll forward to it"
    ),
    reversible=True,
    undo_by_hand=_undo_by_hand,
    by_hand=ByHand(
        when="A rollout shortly before the errors:",
        commands=lambda target, _policy: _roll_back_by_hand(target),
    ),
    rights=CHANGES_WORKLOAD,
)
