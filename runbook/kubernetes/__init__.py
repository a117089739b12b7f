"""What the runbook knows of Kubernetes objects: their fields, their owners and their revisions."""

__all__ = [
    "changed_fields",
    "diff",
    "fields",
    "held_rollout",
    "keepers",
    "ownership",
    "patches",
    "quantities",
    "reversals",
    "revision_choice",
    "rollouts",
    "secret_uses",
    "waiting_reasons",
]
