"""The checks of Quick Triage: what was read, how it is judged, and what counts as a recovery.

Each check is a file of `specs`.
"""

__all__ = [
    "again",
    "catalogue",
    "facts",
    "findings",
    "health",
    "log_lines",
    "readings",
    "recovery",
    "spec",
    "specs",
    "status_page_words",
    "watching",
]
