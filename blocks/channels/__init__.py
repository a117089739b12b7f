"""Where people are told: Slack, PagerDuty and our own status page."""

__all__ = ["pager", "slack", "status_page_publisher"]
