"""Evidence as files: collected, drawn, sealed and removed again."""

__all__ = ["collect", "paper", "retention", "unwritten"]
