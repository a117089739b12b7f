"""A drill from the scenario to its report."""

__all__ = ["alert", "drill", "report", "scenario"]
