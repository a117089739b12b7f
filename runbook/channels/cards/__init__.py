"""Messages that stay true: questions and their files, public texts, reminders, the first of a thread."""

__all__ = [
    "card",
    "clock_reminders",
    "public_texts",
    "question_files",
    "questions",
    "root",
    "slack_blocks",
    "standing",
]
