"""The imitated node: the kubelet and what runs on it."""

__all__ = ["containers", "environment", "kubelet", "logs"]
