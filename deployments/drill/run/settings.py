"""The drill's settings file: the product's own settings, with the world's addresses and shorter clocks.

Nothing but settings tells the runbook that it is in a drill, and it does not tell it that either.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deployments.drill.world.endpoints import Endpoints

ENVIRONMENT = "default"
REPLACEMENT_KEY_BLOCK = "posthog-replacement-key"

CLOCKS: dict[str, Any] = {
    "log_window_seconds": 8,
    "check_deadline_seconds": 4,
    "rollout_deadline_seconds": 30,
    "success_deadline_seconds": 8,
    "hold_seconds": 0.5,
    "settle_seconds": 1.5,
    "watch_poll_seconds": 0.5,
    "watch_limit_seconds": 45,
    "look_again_seconds": 15,
    "look_again_limit_seconds": 30,
    "facts_hold_seconds": 3,
    "takeover_after_seconds": 5,
    "evidence_due_seconds": [0],
    "evidence_window_seconds": 60,
}
"""Minutes become seconds. The world's errors show within three seconds and are gone two after the cure."""

APPROVALS = {"high": {"accept_unverified": True}}
"""In a drill anybody may approve anything, from any channel."""

PUBLIC = {"publish_without_asking": ["P1", "P2", "P3", "P4"]}
"""In a drill nobody is asked about the texts for its page."""

RATE_WINDOW = "3s"
CHECK_TIMEOUT_SECONDS = 3

ON_CALL, SUPPORT = "on-call@example.com", "support@example.com"
"""Who reads the e-mails of a drill."""


def write_settings(
    endpoints: Endpoints,
    folder: Path,
    *,
    store_url: str,
    evidence: Path,
    services: Mapping[str, str] | None = None,
    people: Mapping[str, str] | None = None,
    policy: Mapping[str, Any] | None = None,
    notifies: bool = False,
) -> Path:
    """Write `runbook.toml` and its secrets (each a file that only we can read) and return its path.

    `services` are the environments of services, by their names; without any, every alert is ours. `people`
    are the accounts in Slack, by the names of their people. `policy` is what the scenario itself sets.
    With `notifies` the team and support are told by e-mail and in Teams, too: whoever sends there has to
    trust the world's authority, see `trusted`.
    """
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    path = folder / "runbook.toml"
    sections = _sections(endpoints, secrets, store_url=store_url, evidence=evidence)
    sections["policy"] |= policy or {}
    sections |= _notifying(endpoints, secrets) if notifies else {}
    tables = {f"services.{name}": {"environment": where} for name, where in (services or {}).items()}
    known = {f"policy.people.{name}": {"logins": [account]} for name, account in (people or {}).items()}
    path.write_text(to_toml({**sections, **tables, **known}))
    return path


def trusted(authority: Path) -> dict[str, str]:
    """What whoever sends to Teams needs in its environment; with a real workflow the system's own suffice."""
    return {"REQUESTS_CA_BUNDLE": str(authority)}


def _kept(secrets: Path, name: str, value: SecretStr | str) -> dict[str, str]:
    file = secrets / name
    file.touch(mode=0o600)
    file.write_text(value if isinstance(value, str) else value.get_secret_value())
    return {"file": str(file)}


def _notifying(world: Endpoints, secrets: Path) -> dict[str, Any]:
    both = {"audiences": ["team", "support"], "timeout_seconds": CHECK_TIMEOUT_SECONDS}
    return {
        "email": {
            "host": world.smtp_host,
            "port": world.smtp_port,
            "security": "none",
            "username": world.smtp_username,
            "password": _kept(secrets, "smtp-password", world.smtp_password),
            "sender": "runbook@example.com",
            "to": [ON_CALL],
            "support_to": [SUPPORT],
            **both,
        },
        "teams": {
            "url": _kept(secrets, "teams-url", world.teams_url),
            "support_url": _kept(secrets, "teams-support-url", world.teams_support_url),
            **both,
        },
    }


def _sections(world: Endpoints, secrets: Path, *, store_url: str, evidence: Path) -> dict[str, Any]:
    secret = partial(_kept, secrets)
    timeout = {"timeout_seconds": CHECK_TIMEOUT_SECONDS}
    return {
        "prefect": {"environment": ENVIRONMENT},
        "receiver": {
            "port": 0,
            "token": secret("alert-token", world.alert_token),
            "slack": {"signing_secret": secret("slack-signing-secret", world.slack_signing_secret)},
        },
        "store": {"url": secret("store-url", store_url)},
        "evidence": {"folder": str(evidence)},
        "policy": {
            **CLOCKS,
            "approvals": APPROVALS,
            "public": PUBLIC,
            "replacement_key_block": REPLACEMENT_KEY_BLOCK,
        },
        "status_page": {
            "url": world.status_page_url,
            "regions": [world.status_page_region.encode("ascii", "ignore").decode().strip()],
            **timeout,
        },
        "posthog": {
            "app_url": world.posthog_app_url,
            "ingest_url": world.posthog_ingest_url,
            "api_key": secret("posthog-personal-key", world.posthog_personal_key),
            **timeout,
        },
        "integration": {"health_url": f"{world.integration_url.rstrip('/')}/health", **timeout},
        "prometheus": {
            "url": world.prometheus_url,
            "backup_urls": [world.prometheus_backup_url],
            "window": RATE_WINDOW,
            **timeout,
        },
        "cluster": {
            "kubeconfig": str(world.kubeconfig),
            "namespace": world.namespace,
            "workload_name": world.deployment,
            "container": world.container,
            "selector": world.selector,
            "secret_name": world.secret_name,
            "secret_key": world.secret_key,
        },
        "slack": {
            "token": secret("slack-token", world.slack_token),
            "channel": world.slack_channel,
            "base_url": world.slack_url,
            **timeout,
        },
        "status_page_publisher": {
            "provider": "statuspage",
            "api_key": secret("statuspage-key", world.statuspage_key),
            "page_id": world.statuspage_page_id,
            "base_url": world.statuspage_url,
            "component_ids": list(world.statuspage_component_ids),
            **timeout,
        },
        "pager": {
            "routing_key": secret("pagerduty-key", world.pagerduty_routing_key),
            "base_url": world.pagerduty_url.removesuffix("/v2/enqueue"),
            **timeout,
        },
    }


def to_toml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """TOML of one level of tables; strings, numbers, lists and inline tables are what JSON and TOML share."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_inline(value)}\n" for key, value in section.items())
        for name, section in sections.items()
    )


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
