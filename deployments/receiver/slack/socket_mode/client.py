"""One socket: `slack_sdk`'s client, which ends where it would open the next one by itself.

Its own reconnecting asks without a pause that grows, keeps an address that is used up, and writes addresses
with their tickets to the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from blocks.transport.errors import Unavailable
from deployments.receiver.slack.telling import SYSTEM

CONNECT_SECONDS = 10.0
"""How long it may take from the address to Slack's `hello`."""

PING_SECONDS = 5.0

ACKNOWLEDGED_WITHIN = 3.0
"""How long an envelope that came before the end may take: Slack gives up then."""

Take = Callable[[SocketModeRequest], Awaitable[dict[str, Any] | None]]
"""Handles an envelope, and gives what it is answered. It raises where that is not acknowledged."""

_silent = logging.getLogger("runbook.receiver.slack_sdk")
_silent.setLevel(logging.CRITICAL + 1)


class NotTaken(Exception):
    """An envelope that is not acknowledged: Slack tells its person, or sends it again."""


class OneSocket(SocketModeClient):
    """A socket until it ends; `why` says how it did."""

    def __init__(self, url: str, take: Take) -> None:
        super().__init__(app_token="", logger=_silent, ping_interval=PING_SECONDS)
        self.wss_uri = url
        if proxy_bypass(urlsplit(url).hostname or ""):
            self.proxy = None
        self.why = "the connection broke"
        self._take = take
        self._hello, self._over = asyncio.Event(), asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        self.message_listeners.append(self._heard)
        self.socket_mode_request_listeners.append(self._asked)

    async def open(self) -> None:
        """Open it, and wait until Slack says hello.

        Raises:
            Unavailable: it does not in time.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.connect()  # type: ignore[no-untyped-call]
                await self._hello.wait()
        except TimeoutError:
            raise Unavailable(SYSTEM, "the socket does not open", "Check the way to Slack") from None

    async def ended(self) -> None:
        """Wait until it is over: Slack wants it renewed, or the connection broke."""
        await self._over.wait()

    async def finish(self) -> None:
        """Let what came over it be acknowledged, and close it."""
        if self._working:
            await asyncio.wait(self._working, timeout=ACKNOWLEDGED_WITHIN)
        await self.close()  # type: ignore[no-untyped-call]

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002
        """End instead: the SDK calls this where Slack says `disconnect`, or the connection is gone."""
        self._over.set()

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Note why Slack ends it, and go on as the SDK does."""
        if message.get("type") == "disconnect":
            self.why = str(message.get("reason") or "not told")[:80]
        await super().run_message_listeners(message, raw_message)

    async def _heard(self, _client: object, message: dict[str, Any], _raw: str | None) -> None:
        if message.get("type") == "hello":
            self._hello.set()

    async def _asked(self, _client: object, request: SocketModeRequest) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        try:
            answer = await self._take(request)
        except NotTaken:
            return
        payload = answer if request.accepts_response_payload else None
        response = SocketModeResponse(envelope_id=request.envelope_id, payload=payload)
        await self.send_socket_mode_response(response)
