"""Evidence as files: collected, drawn, sealed and removed again."""

__all__ = ["keep", "paper", "shown", "unwritten"]
