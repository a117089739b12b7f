"""An action of the plan: previewed, made, proved or undone."""

__all__ = [
    "by_hand",
    "changes",
    "mitigate",
    "outage",
    "reverts",
    "shown",
]
