"""The actions, a file for each or for a pair that belongs together; the folder is the catalogue.

A file is found by being here: see `runbook.actions.catalogue`. It imports no module that itself
names actions.
"""

__all__ = [
    "delete_pod",
    "fallback",
    "hand_off",
    "inspect_infrastructure",
    "raise_memory_limit",
    "replace_api_key",
    "request_queue",
    "restart_deployment",
    "roll_back",
    "scale",
    "undo",
    "verify_credentials",
]
