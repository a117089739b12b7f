"""The systems of one world with their front doors, and the faults that are set on them."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from deployments.drill.cluster import Cluster
from deployments.drill.world.channels.incident_io import IncidentIoApi
from deployments.drill.world.channels.mail import SmtpServer
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.channels.statuspage import StatuspageApi
from deployments.drill.world.channels.teams import TeamsWorkflow, workflows_app
from deployments.drill.world.clock import Clock
from deployments.drill.world.faults import Faults
from deployments.drill.world.integration.gitops import GitOps
from deployments.drill.world.integration.integration import Integration
from deployments.drill.world.integration.manifests import NAMESPACE, RUNBOOK_USER, runbook_rules
from deployments.drill.world.keys import Keys
from deployments.drill.world.posthog.api import PostHogApi
from deployments.drill.world.posthog.status_page import StatusPage
from deployments.drill.world.prometheus.partial_metrics import PartialMetrics
from deployments.drill.world.servers.door import Door
from deployments.drill.world.servers.record import Recorder

_OWN_CREDENTIALS = {
    "posthog": ("api_key", "token"),
    "slack": ("token",),
    "pagerduty": ("routing_key",),
    "teams": ("sig",),
}

SMTP_USER = "runbook"
_TEAMS_WORKFLOW, _SUPPORT_WORKFLOW = "643e69f83c8944438d68119179a10a64", "90d1ef2a7b5c4fd0a3f2c1be77d04b55"


class Systems:
    """Every system but Prometheus, which comes once the integration can be scraped."""

    def __init__(self, keys: Keys, recorder: Recorder, clock: Clock) -> None:
        """Make them, in order and not yet listening."""
        self.cluster = Cluster(namespace=NAMESPACE, clock=clock)
        self.gitops = GitOps(self.cluster)
        self.status_page = StatusPage(clock=clock)
        self.posthog = PostHogApi(keys)
        self.integration = Integration(self.cluster, clock=clock)
        self.slack = Slack(keys, clock=clock)
        self.statuspage_api = StatuspageApi(keys, clock=clock)
        self.incident_io = IncidentIoApi(keys, clock=clock)
        self.pagerduty = PagerDuty(keys)
        self.mail = SmtpServer(login=(SMTP_USER, keys.smtp_password.get_secret_value()))
        self.teams = {
            "team": TeamsWorkflow(_TEAMS_WORKFLOW, keys.teams_signature.get_secret_value(), "team"),
            "support": TeamsWorkflow(
                _SUPPORT_WORKFLOW, keys.teams_support_signature.get_secret_value(), "support"
            ),
        }
        self._keys = keys
        self._recorder = recorder
        self._clock = clock
        self._stores: dict[str, PartialMetrics] = {}
        apps: Mapping[str, ASGIApp] = {
            "status_page": self.status_page.app,
            "posthog": self.posthog.app,
            "integration": self.integration.app,
            "slack": self.slack.app,
            "statuspage_api": self.statuspage_api.app,
            "incident_io": self.incident_io.app,
            "pagerduty": self.pagerduty.app,
        }
        self.doors: dict[str, Door] = {system: self.door(system, app) for system, app in apps.items()}
        self.doors_by_tls = {"teams": self.door("teams", workflows_app(list(self.teams.values())))}
        self.grant()

    def metrics_doors(self, app: ASGIApp) -> dict[str, Door]:
        """Add the front doors of Prometheus and of its backup, which read the same metrics."""
        self._stores = {name: PartialMetrics(app) for name in ("prometheus", "prometheus_backup")}
        doors = {name: self.door(name, stores) for name, stores in self._stores.items()}
        self.doors |= doors
        return doors

    def door(self, system: str, app: ASGIApp) -> Door:
        """Return a front door for ``app`` that records under the system's name."""
        own = _OWN_CREDENTIALS.get(system, ())
        return Door(system, app, self._recorder, clock=self._clock, credential_fields=own)

    def grant(self) -> None:
        """Let the runbook's token in with the runbook's rights."""
        self.cluster.grant(RUNBOOK_USER, self._keys.kubernetes_token.get_secret_value(), runbook_rules())

    def set_faults(self, before: Faults, faults: Faults) -> None:
        """Set what is wrong, a bad release excepted, since a rollout takes time."""
        self.status_page.faults = faults.status_page
        self.posthog.faults = faults.posthog
        self.integration.faults = faults.integration
        self.slack.faults = faults.slack
        self.gitops.mode = faults.cluster.mode_in_git
        self.mail.faults = faults.email
        for workflow in self.teams.values():
            workflow.faults = faults.teams
        for system, door in (self.doors | self.doors_by_tls).items():
            door.mode = getattr(faults, system.removesuffix("_backup")).mode
        self.doors["status_page"].latency_seconds = faults.status_page.latency_seconds
        self.doors["integration"].latency_seconds = faults.integration.latency_seconds
        if "prometheus_backup" in self.doors:
            self.doors["prometheus_backup"].mode = faults.prometheus.backup_mode
            self._stores["prometheus"].partial = faults.prometheus.partial
            self._stores["prometheus_backup"].partial = faults.prometheus.backup_partial
        if faults.cluster.expired_token and not before.cluster.expired_token:
            self.cluster.expire(self._keys.kubernetes_token.get_secret_value())
        elif before.cluster.expired_token and not faults.cluster.expired_token:
            self.grant()
