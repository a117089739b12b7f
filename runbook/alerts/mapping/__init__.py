"""Alerts of programs that have no reader: where in their JSON what an alert needs is found.

A mapping is in the settings, or one of those that are known by name.
"""

__all__ = ["formats", "mapping", "paths", "sns", "times", "translating"]
