"""Processes of ours: how they start, print, log and end."""

__all__ = ["foreground", "json_log", "output", "process", "stack", "umask"]
