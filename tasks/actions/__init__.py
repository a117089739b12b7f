"""An action of the plan: previewed, made, proved or undone."""

__all__ = [
    "by_hand",
    "changes",
    "ending",
    "manual_changes",
    "mitigate",
    "outage",
    "planned_change",
    "preview",
    "reverts",
    "shown",
]
