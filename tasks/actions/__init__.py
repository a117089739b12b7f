"""An action of the plan: previewed, made, proved or undone."""

__all__ = [
    "by_hand",
    "changes",
    "ending",
    "inspect",
    "mitigate",
    "outage",
    "planned_change",
    "preview",
    "reverts",
    "rollout",
    "unfinished_rollout",
]
