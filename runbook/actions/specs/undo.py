"""Undoes a change that can be undone."""

from runbook.actions.spec import ActionKind, ActionName, ActionSpec, Risk

UNDO = ActionSpec(
    name=ActionName("undo"),
    title="Undo a change that did not help",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the field is what it was before, and the rollout finishes",
    undo="make the change again by hand",
)
"""It needs the rights of the change that it undoes, and is proved by its rollout alone."""
