"""Who may send alerts, and how each source proves it."""

__all__ = [
    "authentication",
    "confirmations",
    "credentials",
    "mapped",
    "plain",
    "proof",
    "registry",
    "self_watch",
    "settings",
]
