"""The texts of messages, artifacts and drafts, as Jinja templates."""

__all__ = ["environments", "own"]
