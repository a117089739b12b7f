"""Imitations of PostHog: its API and its status page."""

__all__ = ["api", "status_page"]
