"""PostHog's status page, in the formats that status pages have."""

__all__ = ["page"]
