"""Clocks of people: by when somebody has to respond. What is due is read from the journal and the policy."""

__all__ = ["response"]
