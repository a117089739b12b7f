"""The checks of Quick Triage: what was read, how it is judged, and what counts as a recovery."""

__all__ = [
    "findings",
    "health",
    "log_lines",
    "readings",
    "recovery",
    "status_page_words",
    "triage",
    "watching",
    "workload",
]
