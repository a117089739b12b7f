"""Quick Triage, the decision and the watch, as tasks."""

__all__ = ["making", "shown", "triage"]
