"""Slack over a WebSocket that we open, where nothing can reach the receiver (Slack's Socket Mode).

What comes over it is proven as a signed request is: the socket was opened with our app-level token, over TLS
to Slack. Slack sends each envelope to one of an app's sockets, so two receivers of one app share its clicks.
"""

__all__ = ["opening", "slack_socket"]
