"""The texts of messages, artifacts and drafts, as Jinja templates."""
