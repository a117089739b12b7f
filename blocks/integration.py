"""The integration service's own health endpoint: step 2 of Quick Triage."""

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field, field_validator

from blocks.transport.credentials import Credentials
from blocks.transport.errors import one_line
from blocks.transport.http import exchange
from blocks.transport.translating import bare_url, refusal, unreadable
from runbook.checks.health import DEFAULT_PATH, Answer, UnreadableBody, parse_path, read_body
from runbook.checks.readings import HealthReading
from runbook.redaction import redact

_SYSTEM = "Integration health"
_DETAIL_LIMIT = 200  # characters


class IntegrationService(Credentials, Block):
    """The service that sends events to PostHog, as it sees itself."""

    _block_type_name: ClassVar[str] = "Runbook integration service"
    _block_type_slug: ClassVar[str] = "runbook-integration-service"
    _description: ClassVar[str] = "The health endpoint of the PostHog integration."

    health_url: str = Field(
        title="Health URL", description="The runbook's https://api.yourapp.com/health, with its path."
    )
    status_path: str = Field(
        default=DEFAULT_PATH,
        title="Status path",
        description=(
            "Where the PostHog status is in the answer's JSON: names joined by dots, [0] for an item of a "
            "list, quotes around a name with dots. By default common frameworks' trees are searched too."
        ),
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that the request may take."
    )

    @field_validator("status_path")
    @classmethod
    def _is_path(cls, value: str) -> str:
        parse_path(value)
        return value

    async def read_health(self) -> HealthReading:
        """What the service says. A 5xx is a reading too, since an unhealthy service may answer 503.

        Raises:
            Unavailable: the service cannot be reached, or answers 429.
            Refused: it answers 4xx, so the endpoint is not where it is configured to be.
            Unreadable: it answers 2xx or 3xx with neither JSON nor a word, or something before it wants to
                see a browser.
        """
        secrets = self.secret_values()
        response = await exchange(
            _SYSTEM,
            "GET",
            self.health_url,
            timeout_seconds=self.timeout_seconds,
            headers=self.request_headers(),
            follow_redirects=True,
            secrets=secrets,
        )
        if response.is_client_error:
            raise refusal(response, system=_SYSTEM, secrets=secrets)
        try:
            answer = read_body(response.content, self.status_path)
        except UnreadableBody as body:
            if body.challenge or not response.is_server_error:
                raise unreadable(_SYSTEM, response.url, str(body)) from None
            answer = Answer(None, str(body))
        return HealthReading(
            url=bare_url(self.health_url),
            http_status=response.status_code,
            status=redact(answer.word, secrets) if answer.word else None,
            detail=one_line(redact(answer.detail, secrets), _DETAIL_LIMIT),
        )
