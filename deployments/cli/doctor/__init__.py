"""`runbook doctor`: what it checks."""

__all__ = ["doctor"]
