"""The checks, a file each: its facts, its words, how it is judged, and after what it has to stay ok.

A file is found by being here: see `runbook.checks.catalogue`. It imports no module that itself names
checks.
"""

__all__ = ["error_rate", "health", "logs", "probe", "status_page", "workload"]
