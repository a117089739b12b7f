"""An environment of real blocks whose store is a file and whose outside systems are not there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect.filesystems import LocalFileSystem
from pydantic import SecretStr

from blocks.environment import Environment
from blocks.integration import IntegrationService
from blocks.kubernetes.cluster import Cluster
from blocks.policy import RunbookPolicy
from blocks.posthog import PostHogApi
from blocks.prometheus.metrics import Prometheus
from blocks.status_page.page import StatusPage
from blocks.store.journal import IncidentStore
from runbook.alerts.alert import Alert
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from runbook.policy.public_policy import PublicPolicy
from tasks.incident import OpenIncident
from tests.runbook.journals import decision

AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ALERT = Alert(source="alertmanager", service="posthog-integration", name="PostHogServerErrors", summary="5xx")
KEY = "phx_" + "k3y" * 12
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{{name: nowhere, context: {{cluster: nowhere, user: runbook}}}}]
clusters: [{{name: nowhere, cluster: {{server: "{url}"}}}}]
users: [{{name: runbook, user: {{token: t0ken}}}}]
"""


def environment(folder: Path, *, outside: str = NOWHERE, **policy: Any) -> Environment:
    """An environment whose files are in `folder`; all outside systems have the address `outside`.

    Where the policy does not say otherwise, nobody is asked about texts for the public.
    """
    policy = {"public": PublicPolicy(publish_without_asking=tuple(Severity))} | policy
    return Environment(
        name="test",
        runbook_policy=RunbookPolicy(policy=Policy(**policy)),
        store=IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/incidents.db")),
        evidence=LocalFileSystem(basepath=str(folder)),
        status_page=StatusPage(url=outside),
        posthog=PostHogApi(app_url=outside, ingest_url=outside, api_key=SecretStr(KEY)),
        integration=IntegrationService(health_url=f"{outside}/health"),
        prometheus=Prometheus(url=outside),
        cluster=Cluster(kubeconfig_yaml=SecretStr(KUBECONFIG.format(url=outside))),
    )


async def open_incident(
    folder: Path, *, name: str = "inc-1", dry_run: bool = False, **policy: Any
) -> OpenIncident:
    """An incident of a service of its own, so that several can be open; `policy` is in force from then on."""
    at_work = environment(folder, **policy)
    alert = ALERT.model_copy(update={"service": f"service of {name}"})
    await at_work.store.open_incident(
        alert,
        incident_id=name,
        at=AT,
        environment=at_work.name,
        dry_run=dry_run,
        permissions=Permissions.of(at_work.runbook_policy.policy),
    )
    return OpenIncident(id=name, environment=at_work)


async def decide(incident: OpenIncident) -> None:
    """The incident has a P1 decision."""
    await incident.record(e.DecisionMade(round=1, decision=decision()))
