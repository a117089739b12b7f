"""What people are told, and when: messages, reminders, and the words for values."""

__all__ = [
    "acknowledging",
    "answered",
    "buttons",
    "cards",
    "local_time",
    "messages",
    "next_up",
    "public_impact",
    "public_incident",
    "reminders",
    "samples",
    "text_messages",
    "told_state",
    "untold",
    "updates",
    "wording",
]
