"""The actions that the runbook may take, and the rules that every change keeps."""

__all__ = [
    "by_hand",
    "catalogue",
    "discovery",
    "drift",
    "essence",
    "limits",
    "outages",
    "parameters",
    "proving",
    "rollout_watch",
    "spec",
    "specs",
    "switch",
]
