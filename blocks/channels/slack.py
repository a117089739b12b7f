"""Slack: the incident channel.

Every message carries its effect's id, so that after a crash it is found instead of posted again.
"""

import asyncio
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import Message
from functools import partial
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryState
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.web import SlackResponse

from blocks.transport.errors import (
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
    having_sent,
    retry_after,
)
from blocks.transport.http import exchange
from blocks.transport.threads import Threads
from runbook.outside_text.slack import SlackText, cut_message
from runbook.redaction import redact
from runbook.value import Value

_SYSTEM = "Slack"
_EVENT_TYPE = "runbook_effect"
_NOT_JSON = "Received a response in a non-JSON format"  # slack_sdk's word for HTML and the like
_PAGE_SIZE = 200
_PAGES = 10
_CLOCK_MARGIN = timedelta(hours=1)  # Slack's clock dates the messages, and ours may be another
_THREADS = Threads("slack", 8)

_NEXT_STEPS = {
    "invalid_auth": "Put a valid bot token into the Slack block",
    "not_authed": "Put a bot token into the Slack block",
    "account_inactive": "Put the token of an active app into the Slack block",
    "token_revoked": "Put a new bot token into the Slack block",
    "token_expired": "Put a new bot token into the Slack block",
    "not_in_channel": "Invite the app to the channel: /invite @app",
    "channel_not_found": "Configure the channel's ID (C…) and invite the app to it",
    "is_archived": "Configure another channel",
    "missing_scope": "Give the app the scopes chat:write, channels:history and groups:history",
}
_UNAUTHENTICATED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
)
_TRANSIENT = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout"})


class SlackMessage(Value):
    """A message that is in Slack. Channel and `ts` together identify it."""

    channel: str
    ts: str


class _Client(WebClient):
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
                _SYSTEM,
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
        return response is not None and (_wish(response.headers) or 1) <= self._longest_seconds


class Slack(Block):
    """Where the team is told what happens."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook Slack"
    _block_type_slug: ClassVar[str] = "runbook-slack"
    _description: ClassVar[str] = "The Slack channel that incidents are announced in."

    token: SecretStr = Field(
        title="Bot token",
        description="Starts with xoxb-; needs chat:write and channels:history (groups:history if private).",
    )
    channel: str = Field(
        title="Channel", description="ID of the channel (C…): a name can be posted to, but not searched."
    )
    base_url: str = Field(
        default="https://slack.com/api/", title="Base URL", description="Slack's Web API or a relay of it."
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    async def post(
        self,
        text: SlackText,
        *,
        effect_id: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> SlackMessage:
        """Post a message. It is not repeated when its answer is lost: `find` tells whether it is there.

        A reply in a thread is seen by those who follow the thread; `broadcast` shows it in the channel too.
        Text over Slack's limit is cut. Slack looks for no links and names in it, only at its markup.

        Raises:
            Unavailable: Slack cannot be reached or asks for a longer wait than the timeout.
            Refused: token, scope or channel are not right.
        """
        with having_sent():
            answer = await self._call(
                "post",
                lambda client: client.chat_postMessage(
                    channel=self.channel,
                    text=str(cut_message(text)),
                    parse="none",
                    link_names=False,
                    thread_ts=thread_ts,
                    reply_broadcast=broadcast if thread_ts else None,
                    metadata={"event_type": _EVENT_TYPE, "event_payload": {"effect_id": effect_id}},
                    unfurl_links=False,
                    unfurl_media=False,
                ),
            )
            if not answer.get("ts"):
                raise Unreadable(_SYSTEM, "the answer names no message", "Check the base URL")
        return SlackMessage(channel=str(answer.get("channel") or self.channel), ts=str(answer["ts"]))

    async def find(
        self, effect_id: str, *, oldest: datetime, thread_ts: str | None = None
    ) -> SlackMessage | None:
        """The message of an effect, looked for in the channel (or a thread) since `oldest` (aware).

        Raises:
            Unavailable: Slack cannot be reached, or there is more history than can be looked through.
            Refused: token, scope or channel are not right.
        """
        since, cursor = oldest - _CLOCK_MARGIN, ""
        for _ in range(_PAGES):
            page = partial(_page, channel=self.channel, oldest=since, thread_ts=thread_ts, cursor=cursor)
            answer = await self._call("search", page)
            for message in answer.get("messages", []):
                if _effect_of(message) == effect_id:
                    return SlackMessage(channel=self.channel, ts=str(message["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        raise Unavailable(
            _SYSTEM, f"more than {_PAGES * _PAGE_SIZE} messages since {oldest:%H:%M}", "Look into the channel"
        )

    async def _call(self, what: str, request: Callable[[WebClient], SlackResponse]) -> dict[str, Any]:
        client = _Client(
            token=self.token.get_secret_value(),
            base_url=f"{self.base_url.rstrip('/')}/",
            timeout_seconds=self.timeout_seconds,
        )
        try:
            answer = await _THREADS.run(partial(request, client))
        except SlackApiError as error:
            raise self._refusal(what, error) from None
        except (SlackClientError, ValueError, LookupError, RecursionError) as error:  # what is no JSON
            raise Unreadable(_SYSTEM, self._hide(str(error)), "Check the base URL") from None
        data = answer.data
        if not isinstance(data, dict):
            raise Unreadable(_SYSTEM, "the answer is not JSON", "Check the base URL")
        return data

    def _hide(self, text: str) -> str:
        return redact(text, [self.token.get_secret_value()])

    def _refusal(self, what: str, error: SlackApiError) -> OutsideError:
        """What an answer with `ok: false` means."""
        response = error.response
        data = response.data if isinstance(response.data, dict) else {}
        code = str(data.get("error") or f"HTTP {response.status_code}")
        if code.startswith(_NOT_JSON):
            code = f"HTTP {response.status_code} without JSON"
        detail = self._hide(f"cannot {what} in {self.channel}: {code}")
        if code in _TRANSIENT or response.status_code == 429 or response.status_code >= 500:
            wish = _wish(response.headers)
            return Unavailable(
                _SYSTEM,
                detail,
                http_status=response.status_code,
                retry_after_seconds=wish,
                # Slack's own words: "it's possible some aspect of the operation succeeded before the error"
                may_have_landed=code in _PERHAPS_DONE or response.status_code >= 500,
            )
        if code.endswith("without JSON"):
            return Unreadable(_SYSTEM, detail, "Check the base URL")
        next_step = _NEXT_STEPS.get(code, "See Slack's documentation of this error")
        if code in _UNAUTHENTICATED:
            return Unauthenticated(_SYSTEM, detail, next_step)
        if code == "channel_not_found":
            return NotFound(_SYSTEM, detail, next_step)
        return Refused(_SYSTEM, detail, next_step)


def _page(
    client: WebClient, *, channel: str, oldest: datetime, thread_ts: str | None, cursor: str
) -> SlackResponse:
    window: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{oldest.timestamp():.6f}",
        "include_all_metadata": True,
        "limit": _PAGE_SIZE,
        "cursor": cursor or None,
    }
    if thread_ts:
        return client.conversations_replies(ts=thread_ts, **window)
    return client.conversations_history(**window)


def _effect_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != _EVENT_TYPE:
        return None
    effect_id: str | None = (metadata.get("event_payload") or {}).get("effect_id")
    return effect_id


def _wish(headers: Mapping[str, Any]) -> int | None:
    """The seconds that Slack asks to wait for."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            text = value[0] if isinstance(value, list) else value
            return retry_after(str(text), now=datetime.now(UTC))
    return None
