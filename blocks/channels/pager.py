"""PagerDuty: pages a person, through Events API v2."""

from collections.abc import Mapping
from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, JsonValue, SecretStr

from blocks.channels.channel import Post, Receipt
from blocks.transport.errors import having_sent
from blocks.transport.http import exchange, json_object
from blocks.transport.translating import refusal, unreadable
from runbook.channels.messages import Page
from runbook.decision.severity import Severity
from runbook.outside_text.plain import plain_json, plain_line

_SYSTEM = "PagerDuty"
_PATH = "/v2/enqueue"
_SUMMARY_LIMIT = 1024
_SEVERITIES = {Severity.P1: "critical", Severity.P2: "error", Severity.P3: "warning", Severity.P4: "info"}


class Pager(Block):
    """Who is woken up. The deduplication key makes a repeated page the same page."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook pager"
    _block_type_slug: ClassVar[str] = "runbook-pager"
    kind: ClassVar[str] = "pager"

    _description: ClassVar[str] = "PagerDuty's Events API v2."

    routing_key: SecretStr = Field(
        title="Routing key", description="Integration key of the PagerDuty service (Events API v2)."
    )
    base_url: str = Field(
        default="https://events.pagerduty.com",
        title="Base URL",
        description="With or without /v2/enqueue; EU accounts have https://events.eu.pagerduty.com.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    async def find_sent(self, post: Post) -> Receipt | None:  # noqa: ARG002 - see below
        """Nothing: events cannot be read back, and the deduplication key makes a repeat harmless."""
        return None

    async def page(self, page: Page, post: Post) -> Receipt:
        """Page a person, see `trigger`. PagerDuty adds what comes under an open alert's key to that alert.

        Raises:
            OutsideError: see `trigger`.
        """
        await self.trigger(post.id, page.summary, page.severity, page.source, page.details, page.link)
        return {"dedup_key": post.id}

    async def acknowledge_page(self, page_id: str, receipt: Receipt) -> Receipt:
        """Acknowledge the page, as `end_page` ends it. For one that is not open it has no effect.

        Raises:
            OutsideError: see `resolve`.
        """
        key = str(receipt.get("dedup_key", page_id))
        await self._send({"event_action": "acknowledge", "dedup_key": key})
        return {"dedup_key": key}

    async def end_page(self, page_id: str, receipt: Receipt) -> Receipt:
        """End the page; one of an earlier release may have had another key than its id.

        Raises:
            OutsideError: see `resolve`.
        """
        key = str(receipt.get("dedup_key", page_id))
        await self.resolve(key)
        return {"dedup_key": key}

    async def trigger(
        self,
        dedup_key: str,
        summary: str,
        severity: Severity,
        source: str,
        details: Mapping[str, JsonValue] | None = None,
        link: str = "",
    ) -> None:
        """Page a person, or add to the open page with the same key: paging twice is paging once.

        Raises:
            Unavailable: PagerDuty cannot be reached or asks to slow down; page again with the same key.
            Refused: the routing key or the event is not accepted.
        """
        payload: dict[str, JsonValue] = {
            "summary": plain_line(summary, _SUMMARY_LIMIT),
            "severity": _SEVERITIES[severity],
            "source": plain_line(source),
            "custom_details": plain_json(dict(details or {})),
        }
        event: dict[str, JsonValue] = {"event_action": "trigger", "dedup_key": dedup_key, "payload": payload}
        if link:
            event["links"] = [{"href": link, "text": "Prefect run"}]
        await self._send(event)

    async def resolve(self, dedup_key: str) -> None:
        """End the page with this key; there may be none.

        Raises:
            Unavailable: PagerDuty cannot be reached or asks to slow down; resolve again.
            Refused: the routing key is not accepted.
        """
        await self._send({"event_action": "resolve", "dedup_key": dedup_key})

    async def _send(self, event: dict[str, JsonValue]) -> None:
        key = self.routing_key.get_secret_value()
        response = await exchange(
            _SYSTEM,
            "POST",
            f"{self.base_url.rstrip('/').removesuffix(_PATH)}{_PATH}",
            body={"routing_key": key, **event},
            timeout_seconds=self.timeout_seconds,
            secrets=[key],
        )
        if not response.is_success:
            raise refusal(response, system=_SYSTEM, secrets=[key])
        with having_sent():  # a page of something in between wakes nobody up
            answer = json_object(_SYSTEM, response)
            if answer.get("status") != "success":
                raise unreadable(_SYSTEM, response.url, "PagerDuty did not confirm it")
