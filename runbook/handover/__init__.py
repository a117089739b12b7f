"""The hand-over of an incident from one lead to the next: what is known, done, open and promised."""

__all__ = ["in_slack", "packet"]
