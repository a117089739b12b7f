"""Imitations of Slack, PagerDuty and the hosts of our own status page."""

__all__ = ["incident_io", "pagerduty", "slack", "slack_page", "slack_people", "statuspage"]
