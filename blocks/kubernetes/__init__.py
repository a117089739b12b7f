"""The cluster that the integration runs in: what is read of its workload, and what is changed."""

__all__ = ["access", "cluster", "pods", "revisions", "rollout", "room", "secret"]
