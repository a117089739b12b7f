"""Messages that stay true: a question with its buttons, and the first message of an incident's thread."""

__all__ = ["card", "questions", "root", "slack_blocks", "standing"]
