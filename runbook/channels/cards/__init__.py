"""Messages that stay true: questions and public texts with their buttons, and the first of a thread."""

__all__ = ["card", "public_texts", "questions", "root", "slack_blocks", "standing"]
