"""Commands with which people answer, lead and hand back."""

__all__ = [
    "acts",
    "answers",
    "confirming",
    "door",
    "elsewhere",
    "ends",
    "handover",
    "login",
    "pasting",
    "publishing",
    "respond",
    "resume",
    "severity",
    "support",
]
