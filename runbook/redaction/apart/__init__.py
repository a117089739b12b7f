"""Secrets that stand apart from what says that they are secrets: on another line, or in another document."""

__all__ = ["standing_apart"]
