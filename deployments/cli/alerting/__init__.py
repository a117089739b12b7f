"""The alerts that come in: which fire, what a payload says, which senders wait to be confirmed."""

__all__ = ["alerts", "explain", "sns"]
