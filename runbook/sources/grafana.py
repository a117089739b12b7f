"""Grafana's webhook payload (version 1), translated into alerts.

It has the form of Alertmanager's, and each alert says more: the `values` that made it fire, and where to
silence it or look at its panel. That is kept in `Alert.extra`, as are the group's `state` and `message`.
"""

from typing import Any

from runbook.alert import Alert
from runbook.sources.alertmanager import alerts_of_group


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The alerts of one notification, in the sender's order; see Alertmanager's for their fields.

    Raises:
        EmptyAlerts: it tells of no alert.
        UnreadablePayload: a field is missing or of the wrong type, or an alert belongs to no service.
    """
    return alerts_of_group(payload, default_service, source="grafana")
