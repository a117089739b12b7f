"""Imitations of Slack, PagerDuty, a mail server, Microsoft Teams and the hosts of our own status page."""

__all__ = [
    "incident_io",
    "mail",
    "pagerduty",
    "read_page",
    "slack",
    "slack_page",
    "slack_people",
    "statuspage",
    "teams",
]
