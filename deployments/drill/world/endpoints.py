"""Where everything in a world is and the credentials to reach it: what a runbook is configured with."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, SecretStr

DrillSecret = Annotated[
    SecretStr, PlainSerializer(lambda secret: secret.get_secret_value(), return_type=str, when_used="json")
]
"""Masked in reprs, readable in JSON: the worth of a drill's secret ends with its world."""


class Endpoints(BaseModel):
    """Every address, name and credential of a world. Says nothing about what is wrong in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: str
    state_dir: Path
    control_url: str
    """The drill's own handle on the world, not for the runbook."""

    status_page_url: str
    status_page_region: str = "US Cloud 🇺🇸"
    posthog_app_url: str
    posthog_ingest_url: str
    posthog_project_key: DrillSecret
    """The key in the cluster's secret when the world starts."""
    posthog_personal_key: DrillSecret
    replacement_project_key: DrillSecret
    """A good key, as the dashboard would give it out."""
    integration_url: str
    """Base of ``/health`` and ``/metrics``."""
    prometheus_url: str
    prometheus_backup_url: str

    kubernetes_url: str
    kubeconfig: Path
    """Of the runbook's service account."""
    namespace: str
    deployment: str
    container: str
    selector: str
    secret_name: str
    secret_key: str

    slack_url: str
    """Base of the Web API, with the slash at its end that slack_sdk wants."""
    slack_channel: str
    slack_token: DrillSecret
    slack_signing_secret: DrillSecret
    slack_app_token: DrillSecret
    """For Socket Mode: once a socket is open, what people do is sent over it."""
    slack_webhook_url: DrillSecret
    statuspage_url: str
    statuspage_page_id: str
    statuspage_component_ids: tuple[str, ...]
    statuspage_key: DrillSecret
    incident_io_url: str
    incident_io_status_page_id: str
    incident_io_component_ids: tuple[str, ...]
    incident_io_key: DrillSecret
    pagerduty_url: str
    pagerduty_routing_key: DrillSecret
    smtp_host: str
    smtp_port: int
    smtp_username: str
    smtp_password: DrillSecret
    teams_url: DrillSecret
    """Of the workflow that posts into the team's channel, by TLS."""
    teams_support_url: DrillSecret
    authority: Path
    """The certificate authority to trust for it, in PEM."""

    alert_token: DrillSecret
    """Bearer token that the world's alert source sends; the receiver must accept it."""
