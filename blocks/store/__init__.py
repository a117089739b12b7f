"""The incident store: journals, alerts, leases, lists and what is kept of the self-watch, in SQL."""

__all__ = [
    "alerts",
    "block",
    "database",
    "journal",
    "lease",
    "lists",
    "newest_ids",
    "overview",
    "own_store",
    "retention",
    "self_watch_log",
    "tail",
]
