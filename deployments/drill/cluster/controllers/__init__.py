"""The imitated controllers."""

__all__ = ["deployment", "disruption", "replication", "rollout", "stateful_set"]
