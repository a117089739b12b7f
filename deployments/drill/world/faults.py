"""What can be wrong in the world: one strict model per system, patched as a whole at run time."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Reachability = Literal["ok", "closed", "lost", "unavailable", "html", "hanging"]
"""How a system's front door behaves: closed drops the connection, lost does what was asked and then drops
it, unavailable answers 503, html answers 200 with a web page, hanging never answers."""

StatusFormat = Literal["incident_io", "statuspage", "api_status", "feed"]

_DEFAULT_GROUP = "US Cloud 🇺🇸"


class Strict(BaseModel):
    """Refuses unknown keys, wrong types and changes in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ListedIncident(Strict):
    """An incident on PostHog's status page."""

    name: str = "Elevated error rates"
    status: Literal["investigating", "identified", "monitoring", "resolved"] = "investigating"
    impact: Literal["degraded_performance", "partial_outage", "full_outage"] = "partial_outage"
    message: str = "We are seeing elevated error rates and are investigating."
    groups: tuple[str, ...] = (_DEFAULT_GROUP,)
    """Regions; an empty tuple means everyone, as the page's widget has it."""
    components: tuple[str, ...] = ("Event ingestion", "Feature flags")


class StatusPageFaults(Strict):
    """PostHog's status page."""

    mode: Reachability = "ok"
    incident: ListedIncident | None = None
    formats: tuple[StatusFormat, ...] = ("incident_io", "statuspage", "feed")
    """What the page serves; the addresses of the others answer 404."""
    maintenance: bool = False
    """Whether an unrelated maintenance is in progress in the other region."""
    latency_seconds: float = Field(default=0.0, ge=0, le=30)


class Outage(Strict):
    """PostHog answers a share of calls with a server error."""

    share: float = Field(default=1.0, ge=0, le=1)
    status: Literal[500, 502, 503, 504] = 503
    html: bool = False
    """Whether the edge answers (HTML) instead of the application (its JSON error body)."""


class PostHogFaults(Strict):
    """PostHog's app and ingestion API and its dashboard."""

    mode: Reachability = "ok"
    outage: Outage | None = None
    project_key: Literal["valid", "expired"] = "valid"
    """Of the key that the integration was set up with; its replacement is always valid."""
    personal_key: Literal["valid", "expired"] = "valid"
    missing_scopes: tuple[str, ...] = ()
    """Scopes that the personal key lacks, such as ``feature_flag:read``."""
    limit_per_second: float | None = Field(default=None, gt=0)
    """Requests a second per key; None for a limit that the integration never reaches."""
    billing_limit: bool = False
    """Whether capture answers 429 "billing limit reached", which no queue cures."""
    latency_seconds: float = Field(default=0.0, ge=0, le=30)


class Leak(Strict):
    """Memory of the integration's pods grows until the kernel kills them."""

    incubation_seconds: float = Field(default=600, gt=0)
    """Pods younger than this are well. Those of the world's start count as older."""
    fill_seconds: float = Field(default=0.2, gt=0)
    """From the container's start, in an aged pod, to its limit."""


class IntegrationFaults(Strict):
    """The integration's own service."""

    mode: Reachability = "ok"
    leak: Leak | None = None
    database: Literal["healthy", "unhealthy"] = "healthy"
    latency_seconds: float = Field(default=0.0, ge=0, le=30)


class PrometheusFaults(Strict):
    """Prometheus and the second one that stands in for it."""

    mode: Reachability = "ok"
    backup_mode: Reachability = "ok"
    partial: bool = False
    """Whether one of the stores behind it does not answer, which only a warning tells."""
    backup_partial: bool = False


class ClusterFaults(Strict):
    """The Kubernetes cluster."""

    bad_release: bool = False
    """Whether the newest revision crash-loops: its image starts once and then never again."""
    mode_in_git: Literal["direct", "queue"] | None = None
    """A GitOps controller applies the deployment with this mode and puts back what differs."""
    fixed_release: bool = False
    """Whether somebody has rolled out a release after the broken one, which is well."""
    expired_token: bool = False
    """Whether the runbook's token is refused from now on."""


class ServiceFaults(Strict):
    """An outbound service that has no faults but its reachability."""

    mode: Reachability = "ok"


class MailFaults(Strict):
    """The mail server."""

    mode: Literal["ok", "closed", "lost", "unavailable", "hanging"] = "ok"
    """As a front door's; unavailable says 421."""
    greylist_seconds: float = Field(default=0, ge=0, le=3600)
    """How long whoever writes to a reader for the first time is told to come again."""


class TeamsFaults(Strict):
    """The workflows that post into Microsoft Teams."""

    mode: Reachability = "ok"
    throttled_seconds: int = Field(default=0, ge=0, le=3600)
    """What they ask to wait for with a 429, for as long as this is not zero."""


class SlackFaults(Strict):
    """Slack."""

    mode: Reachability = "ok"
    error: str | None = None
    """An error which every method answers, such as ``channel_not_found``."""

    missing_scopes: tuple[str, ...] = ()
    """Scopes that the bot's token lacks; only ``files:write`` is looked at."""


class Faults(Strict):
    """Everything that is wrong in the world now. The default is a world in order."""

    status_page: StatusPageFaults = StatusPageFaults()
    posthog: PostHogFaults = PostHogFaults()
    integration: IntegrationFaults = IntegrationFaults()
    prometheus: PrometheusFaults = PrometheusFaults()
    cluster: ClusterFaults = ClusterFaults()
    slack: SlackFaults = SlackFaults()
    statuspage_api: ServiceFaults = ServiceFaults()
    incident_io: ServiceFaults = ServiceFaults()
    pagerduty: ServiceFaults = ServiceFaults()
    email: MailFaults = MailFaults()
    teams: TeamsFaults = TeamsFaults()

    def patched(self, patch: Mapping[str, Any]) -> "Faults":
        """Return these faults with ``patch`` merged in, key by key; null takes a fault away.

        Raises ``pydantic.ValidationError`` for an unknown key or a bad value.
        """
        merged = _merged(self.model_dump(mode="json"), patch)
        return Faults.model_validate_json(json.dumps(merged))  # strict: only JSON's lists may become tuples


def _merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in patch.items():
        before = merged.get(key)
        if isinstance(value, Mapping):
            merged[key] = _merged(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged
