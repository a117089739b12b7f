"""The alert receiver: what listens, who may send, and how an alert becomes a run."""

__all__ = ["authentication", "connections", "people", "settings", "slack", "sources"]
