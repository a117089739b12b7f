"""Where people are told: Slack, PagerDuty and our own status page."""
