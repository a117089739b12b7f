"""The integration service's own health endpoint: step 2 of Quick Triage."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks.errors import Unreadable, bare_url, refusal
from blocks.http import exchange, json_body
from runbook.readings import HealthReading
from runbook.redaction import redact

_SYSTEM = "Integration health"
_TELLING = ("mode", "message", "error", "detail", "reason")


class IntegrationService(Block):
    """The service that sends events to PostHog, as it sees itself."""

    _block_type_name: ClassVar[str] = "Runbook integration service"
    _block_type_slug: ClassVar[str] = "runbook-integration-service"
    _description: ClassVar[str] = "The health endpoint of the PostHog integration."

    health_url: str = Field(
        title="Health URL", description="The runbook's https://api.yourapp.com/health, with its path."
    )
    status_path: str = Field(
        default="services.posthog.status",
        title="Status path",
        description="Where the PostHog status is in the answer's JSON: names joined by dots.",
    )
    bearer_token: SecretStr | None = Field(
        default=None, title="Bearer token", description="Token for a health endpoint that asks for one."
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that the request may take."
    )

    async def read_health(self) -> HealthReading:
        """What the service says. A 5xx is a reading too, since an unhealthy service may answer 503.

        Raises:
            Unavailable: the service cannot be reached, or answers 429.
            Refused: it answers 4xx, so the endpoint is not where it is configured to be.
            Unreadable: it answers 2xx or 3xx without JSON.
        """
        secrets = [self.bearer_token.get_secret_value()] if self.bearer_token else []
        response = await exchange(
            _SYSTEM,
            "GET",
            self.health_url,
            timeout_seconds=self.timeout_seconds,
            headers={"Authorization": f"Bearer {secrets[0]}"} if secrets else None,
            follow_redirects=True,
            secrets=secrets,
        )
        if response.is_client_error:
            raise refusal(response, system=_SYSTEM, secrets=secrets)
        try:
            document = json_body(_SYSTEM, response)
        except Unreadable:
            if not response.is_server_error:
                raise
            return self._reading(response, None, "the answer is not JSON")
        status, detail = _look_up(document, self.status_path)
        return self._reading(response, status and redact(status, secrets), redact(detail, secrets))

    def _reading(self, response: httpx.Response, status: str | None, detail: str) -> HealthReading:
        return HealthReading(
            url=bare_url(self.health_url), http_status=response.status_code, status=status, detail=detail
        )


def _look_up(document: Any, path: str) -> tuple[str | None, str]:
    """The text at the path, and what its neighbours tell about it."""
    parent: Any = None
    found: Any = document
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None, f"the answer has no {path}"
        parent, found = found, found[name]
    if not isinstance(found, str):
        return None, f"{path} is not text"
    told = (f"{name}: {parent[name]}" for name in _TELLING if isinstance(parent.get(name), str))
    return found, "; ".join(told)
