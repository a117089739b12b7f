"""The front door of an imitated system: keeps the evidence and plays the faults outside its application.

Those are a connection that is closed, an edge that answers HTML and a peer that never answers.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.faults import Reachability
from deployments.drill.world.servers.answers import edge_page
from deployments.drill.world.servers.record import Received, Recorder
from deployments.drill.world.servers.wire import ABORT

_CREDENTIAL_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


class Door:
    """ASGI front of one system: records each request and plays the reachability faults.

    An application names the caller with ``request.state.authenticated_as``, and with
    ``request.state.path`` a path that must not be recorded as it is.
    """

    def __init__(
        self,
        system: str,
        app: ASGIApp,
        recorder: Recorder,
        *,
        clock: Clock = utc_now,
        credential_fields: Iterable[str] = (),
    ) -> None:
        """Guard ``app``; ``credential_fields`` are credentials of this very system in body or query."""
        self.system = system
        self.mode: Reachability = "ok"
        self.latency_seconds = 0.0
        self._app = app
        self._recorder = recorder
        self._clock = clock
        self._credential_fields = frozenset(credential_fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket" and self.mode in ("ok", "lost"):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a WebSocket is refused by that
        at = self._clock()
        body = await _read(receive)
        state: dict[str, Any] = {}
        scope["state"] = state
        status: int | None = None
        mode = self.mode
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)

        async def watch(message: Message) -> None:
            nonlocal status
            if mode == "lost":
                return
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if mode not in ("closed", "hanging"):
            await self._answering()(scope, _replay(body, receive), watch)
        self._record(at, scope, body, state, status)
        if mode in ("closed", "lost"):
            await _drop(scope, receive)
        elif mode == "hanging":
            await _disconnected(receive)

    def _answering(self) -> ASGIApp:
        if self.mode == "unavailable":
            return edge_page(503, "Service Temporarily Unavailable")
        if self.mode == "html":
            return HTMLResponse("<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>")
        return self._app

    def _record(
        self, at: datetime, scope: Scope, body: bytes, state: Mapping[str, Any], status: int | None
    ) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name.decode("latin-1").lower() not in _CREDENTIAL_HEADERS
        }
        caller = state.get("authenticated_as")
        parsed = _parsed(body, headers.get("content-type", ""))
        self._recorder.add(
            Received(
                at=at,
                system=self.system,
                method=scope["method"],
                path=state.get("path", scope["path"]),
                query=self._without_credentials(
                    dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)), caller
                ),
                headers=headers,
                authenticated_as=caller,
                body=self._without_credentials(parsed, caller),
                status=status,
            )
        )

    def _without_credentials(self, body: Any, caller: str | None) -> Any:
        if not isinstance(body, dict):
            return body
        return {
            name: f"<{caller or 'not accepted'}>" if name in self._credential_fields else value
            for name, value in body.items()
        }


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _drop(scope: Scope, receive: Receive) -> None:
    scope[ABORT]()
    await _disconnected(receive)


def _parsed(body: bytes, content_type: str) -> Any:
    text = body.decode("utf-8", errors="replace")
    if not text:
        return None
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text)
    except ValueError:
        return text
