"""Clocks of people: by when somebody has to respond, and by when an update was promised.

What is due is read from the journal and the policy; nothing else remembers it.
"""

__all__ = ["promises", "response", "snoozing", "wording"]
