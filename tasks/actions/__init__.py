"""An action of the plan: previewed, made, proved or undone."""

__all__ = ["by_hand", "changes", "inspect", "mitigate", "outage", "reverts", "rollout", "unfinished_rollout"]
