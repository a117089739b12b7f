"""The world of a drill: every outside system on loopback."""

__all__ = ["endpoints", "faults", "process", "prometheus"]
