"""Imitations of Slack, PagerDuty and the hosts of our own status page."""
