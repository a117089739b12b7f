"""Messages that stay true: questions with buttons and files, public texts, and the first of a thread."""

__all__ = ["card", "public_texts", "question_files", "questions", "root", "slack_blocks", "standing"]
