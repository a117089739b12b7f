"""What is kept of an incident, how it is sealed, and when it may be removed."""

__all__ = ["error_chart", "manifest", "paper", "retention"]
