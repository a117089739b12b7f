"""Where everything of a running world is found, for who has to reach it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployments.drill.world.channels import incident_io as incident_io_api
from deployments.drill.world.channels import slack
from deployments.drill.world.channels import statuspage as statuspage_api
from deployments.drill.world.channels.teams import TeamsWorkflow
from deployments.drill.world.endpoints import Endpoints
from deployments.drill.world.integration import manifests
from deployments.drill.world.keys import Keys
from deployments.drill.world.systems import SMTP_USER

_NAMES = {
    "namespace": manifests.NAMESPACE,
    "deployment": manifests.DEPLOYMENT,
    "container": manifests.CONTAINER,
    "selector": manifests.SELECTOR,
    "secret_name": manifests.SECRET,
    "secret_key": manifests.SECRET_KEY,
    "slack_channel": slack.CHANNEL_ID,
    "statuspage_page_id": statuspage_api.PAGE_ID,
    "statuspage_component_ids": tuple(statuspage_api.COMPONENTS),
    "incident_io_status_page_id": incident_io_api.STATUS_PAGE_ID,
    "incident_io_component_ids": incident_io_api.COMPONENT_IDS,
}


def whereabouts(
    scenario: str,
    state: Path,
    urls: Mapping[str, str],
    keys: Keys,
    workflows: Mapping[str, TeamsWorkflow],
    smtp_port: int,
) -> Endpoints:
    """The endpoints of a world whose servers are at `urls`, and whose files are in `state`."""
    for workflow in workflows.values():
        workflow.url = workflow.address(urls["teams"])
    return Endpoints.model_validate(
        {
            "scenario": scenario,
            "state_dir": state,
            "kubeconfig": state / "kubeconfig",
            "authority": state / "authority.pem",
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp_port,
            "smtp_username": SMTP_USER,
            "teams_url": workflows["team"].url,
            "teams_support_url": workflows["support"].url,
            **_addresses(urls),
            **_NAMES,
            **_credentials(urls, keys),
        }
    )


def _addresses(urls: Mapping[str, str]) -> dict[str, str]:
    return {
        "control_url": urls["control"],
        "status_page_url": urls["status_page"],
        "posthog_app_url": urls["posthog"],
        "posthog_ingest_url": urls["posthog"],
        "integration_url": urls["integration"],
        "prometheus_url": urls["prometheus"],
        "prometheus_backup_url": urls["prometheus_backup"],
        "kubernetes_url": urls["kubernetes"],
        "slack_url": f"{urls['slack']}/api/",
        "statuspage_url": f"{urls['statuspage_api']}/v1",
        "incident_io_url": urls["incident_io"],
        "pagerduty_url": f"{urls['pagerduty']}/v2/enqueue",
    }


def _credentials(urls: Mapping[str, str], keys: Keys) -> dict[str, Any]:
    webhook = f"{urls['slack']}/services/{keys.slack_webhook_path.get_secret_value()}"
    return {
        "posthog_project_key": keys.project_key,
        "posthog_personal_key": keys.personal_key,
        "replacement_project_key": keys.replacement_project_key,
        "slack_token": keys.slack_token,
        "slack_signing_secret": keys.slack_signing_secret,
        "slack_app_token": keys.slack_app_token,
        "slack_webhook_url": webhook,
        "statuspage_key": keys.statuspage_key,
        "incident_io_key": keys.incident_io_key,
        "pagerduty_routing_key": keys.pagerduty_routing_key,
        "smtp_password": keys.smtp_password,
        "alert_token": keys.alert_token,
    }
