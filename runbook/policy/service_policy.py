"""The service that a policy is about: when its symptoms count, and what of it can be switched."""

from typing import Annotated

from pydantic import Field

from runbook.actions.switch import Switch
from runbook.outside_text import Outside
from runbook.value import Value

MAX_PUBLIC_TITLE = 60
"""Characters of the name that the public reads."""


class ServicePolicy(Value):
    """What triage goes by, and the names that changes go by."""

    service: str = Field(
        default="posthog-integration",
        title="Service",
        description="The service that this configuration is about; alerts name it in their `service` label.",
    )
    public_titles: dict[str, Annotated[str, Outside(MAX_PUBLIC_TITLE, lines=False)]] = Field(
        default={},
        title="Public titles",
        description="How the public status page calls a service, by the service's name, such as `Checkout`.",
    )
    error_rate_threshold: float = Field(
        default=0.1,
        ge=0,
        title="Error rate threshold",
        description="Errors per second (5 min rate) above which PostHog counts as returning errors.",
    )
    complete_outage_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        title="Complete outage share",
        description="Share of failing requests from which the outage counts as complete (P1).",
    )
    log_error_threshold: int = Field(
        default=3,
        ge=1,
        title="Log error threshold",
        description="Error lines in the window from which the logs count as bad.",
    )
    log_window_seconds: int = Field(
        default=300,
        ge=1,
        title="Log window",
        description="How far back recent logs are read: the runbook's `--since=5m`.",
    )
    recent_rollout_seconds: int = Field(
        default=3600,
        ge=1,
        title="Recent rollout",
        description="A rollout that is not older than this when the alert fires is a suspect.",
    )
    healthy_words: tuple[str, ...] = Field(
        default=("healthy", "ok", "up", "operational", "pass"),
        title="Healthy words",
        description="Words of the health endpoint for all is well, beside those that the runbook knows.",
    )
    check_deadline_seconds: float = Field(
        default=10,
        gt=0,
        title="Check deadline",
        description="How long one triage check may take, retries and fallbacks included.",
    )
    queue_switch: Switch = Field(
        default=Switch(variable="RATE_LIMIT_MODE", value="queue"),
        title="Queue switch",
        description="The runbook's RATE_LIMIT_MODE=queue.",
    )
    fallback_switch: Switch = Field(
        default=Switch(variable="POSTHOG_FALLBACK", value="true"),
        title="Fallback switch",
        description="The runbook's POSTHOG_FALLBACK=true.",
    )
    replacement_key_block: str = Field(
        default="posthog-replacement-key",
        title="Replacement key",
        description="Name of the Prefect Secret block that holds the new API key, never typed into a form.",
    )
