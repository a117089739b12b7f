"""Alerts: how each source writes them, what one more message means, and which incident it belongs to."""

__all__ = ["alert", "episodes", "explaining", "intake", "mapping", "pager_acts", "sources", "unrouted"]
