"""Secrets away from their label: on another line, or in another document."""

__all__ = ["standing_apart"]
