"""Evidence as files: collected, drawn, sealed and removed again."""

__all__ = ["error_rate", "keep", "paper", "shown", "unwritten"]
