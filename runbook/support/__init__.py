"""What the people of support are told: what they may tell users, what not, and when they hear more."""

__all__ = ["facts", "page"]
