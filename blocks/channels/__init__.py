"""Where people are told: Slack, PagerDuty and our own status page."""

__all__ = ["channel", "pager", "registry", "slack", "status_page_publisher"]
