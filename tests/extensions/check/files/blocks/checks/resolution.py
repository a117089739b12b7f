"""A DNS resolver that answers in JSON over HTTPS.

Its form: https://developers.google.com/speed/public-dns/docs/doh/json
"""

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field

from blocks.transport.http import exchange, json_object
from blocks.transport.translating import bare_url, unreadable
from runbook.checks.specs.resolution import RESOLUTION, ResolutionReading

_SYSTEM = "Resolver"
_ADDRESS_TYPES = (1, 28)  # A and AAAA


class Resolver(Block):
    """Where the name of PostHog's host is looked up."""

    _block_type_name: ClassVar[str] = "Runbook resolver"
    _block_type_slug: ClassVar[str] = "runbook-resolver"
    _description: ClassVar[str] = "A DNS resolver that answers in JSON over HTTPS."

    check: ClassVar = RESOLUTION

    url: str = Field(title="URL", description="The resolver's address: https://dns.google/resolve")
    host: str = Field(title="Host", description="The name to look up: us.posthog.com")
    timeout_seconds: float = Field(
        default=5,
        gt=0,
        title="Timeout",
        description="Seconds that the request may take.",
    )

    async def read(self) -> ResolutionReading:
        """What the resolver says of the host.

        Raises:
            Unavailable: the resolver cannot be reached.
            Refused: it answers 4xx.
            Unreadable: it answers in another form.
        """
        response = await exchange(
            _SYSTEM,
            "GET",
            self.url,
            params={"name": self.host, "type": "A"},
            timeout_seconds=self.timeout_seconds,
        )
        answer = json_object(_SYSTEM, response)
        code, records = answer.get("Status"), answer.get("Answer", [])
        if not isinstance(code, int) or not isinstance(records, list):
            raise unreadable(_SYSTEM, response.url, "JSON, but no answer of a resolver")
        return ResolutionReading(
            host=self.host,
            resolver=bare_url(self.url),
            response_code=code,
            addresses=sum(
                isinstance(record, dict) and record.get("type") in _ADDRESS_TYPES for record in records
            ),
        )
