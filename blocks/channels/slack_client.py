"""Slack's own client, with our patience and our limits on what it reads."""

import asyncio
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryState
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from blocks.transport.http import exchange
from blocks.transport.translating import retry_after

SYSTEM = "Slack"


class SlackClient(WebClient):
    """Slack's client by way of our own exchange, since its timeout begins anew with every byte."""

    def __init__(self, *, token: str, base_url: str, timeout_seconds: float) -> None:
        # slack_sdk would repeat a post whose connection broke, and post it twice
        patient = _PatientRateLimit(timeout_seconds)
        super().__init__(token=token, base_url=base_url, retry_handlers=[patient])
        self._timeout_seconds = timeout_seconds

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        """One request: the seam that the client itself repeats at.

        Raises:
            HTTPError: Slack does not answer 200.
            OutsideError: there is no whole answer in time.
        """
        content = req.data if isinstance(req.data, bytes) else None
        answer = asyncio.run(
            exchange(
                SYSTEM,
                "POST",
                url,
                headers={name: str(value) for name, value in req.header_items()},
                content=content,
                timeout_seconds=self._timeout_seconds,
                secrets=[self.token or ""],
            )
        )
        headers = Message()
        for name, value in answer.headers.multi_items():
            headers[name] = value
        if not answer.is_success:
            raise HTTPError(
                url, answer.status_code, answer.reason_phrase, headers, io.BytesIO(answer.content)
            )
        return {"status": answer.status_code, "headers": headers, "body": answer.content.decode()}


class _PatientRateLimit(RateLimitErrorRetryHandler):
    """Waits out a rate limit that is short; slack_sdk itself would sleep for as long as Slack says."""

    def __init__(self, longest_seconds: float) -> None:
        super().__init__(max_retry_count=2)
        self._longest_seconds = longest_seconds

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if not super()._can_retry(state=state, request=request, response=response, error=error):
            return False
        return response is not None and (wish(response.headers) or 1) <= self._longest_seconds


def wish(headers: Mapping[str, Any]) -> int | None:
    """The seconds that Slack asks to wait for."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            text = value[0] if isinstance(value, list) else value
            return retry_after(str(text), now=datetime.now(UTC))
    return None
