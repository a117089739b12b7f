"""What an incident is: the events of its journal, and what is read from them."""

__all__ = [
    "current_action",
    "effect_ids",
    "effects",
    "escalations",
    "events",
    "ids",
    "incident",
    "loose_ends",
    "open_pages",
    "outcome",
    "people",
    "report",
    "sentences",
    "state",
    "summary",
    "timeline",
]
