"""The receiver's API for people."""

__all__ = ["api", "pagers", "requests", "settings"]
