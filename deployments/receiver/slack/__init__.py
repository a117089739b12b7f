"""People in Slack: what they click and type there reaches the receiver, signed by Slack.

`proving` checks whose request it is, `acts` does what it asks for, `telling` tells them what became of it.
"""

__all__ = ["chat", "settings", "socket_mode"]
