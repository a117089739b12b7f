"""Slack's Socket Mode: sockets that the app opens, and envelopes that it has to acknowledge.

Source: Slack's "Using Socket Mode" and its reference of `apps.connections.open`. An envelope goes to one of
the app's sockets; where it is not acknowledged in three seconds, it is sent again, once.
"""

import asyncio
import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.drill.world.channels.slack_people import APP, Answered, SlackPeople, Workspace
from deployments.drill.world.servers.answers import json_answer

ACKNOWLEDGED_SECONDS = 3.0
AGAIN_WITHIN_SECONDS = 20.0
"""How long a second delivery waits for a socket."""

MOST_SOCKETS = 10
SOCKET_SECONDS = 3_600.0
"""How long a socket lives before Slack wants it renewed."""


class SocketWorkspace(Workspace, Protocol):
    """What is needed of the workspace."""

    people: SlackPeople


@dataclass
class SlackSockets:
    """The sockets of the app.

    `lost` is how many acknowledgements get lost on their way, `error` what the next openings are refused
    with, and `retry_after` the seconds that Slack wants to be left alone where that is `ratelimited`.
    """

    workspace: SocketWorkspace
    app_token: SecretStr
    lost: int = 0
    error: str = ""
    retry_after: int = 1
    opened: int = 0
    delivered: list[dict[str, Any]] = field(default_factory=list)
    open: list[WebSocket] = field(default_factory=list)
    _tickets: set[str] = field(default_factory=set)
    _waiting: dict[str, "asyncio.Future[Any]"] = field(default_factory=dict)
    _turn: "itertools.count[int]" = field(default_factory=itertools.count)

    async def new_address(self, request: Request) -> Response:
        """`apps.connections.open`. An address is good for one opening."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != self.app_token.get_secret_value():
            wrong = "invalid_auth" if token.startswith("xapp-") else "not_allowed_token_type"
            return json_answer({"ok": False, "error": wrong})
        request.state.authenticated_as = "app-level token"
        if self.error == "ratelimited":
            body = {"ok": False, "error": self.error}
            return json_answer(body, 429, {"Retry-After": str(self.retry_after)})
        if self.error:
            return json_answer({"ok": False, "error": self.error})
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        address = self.workspace.url.replace("http", "ws", 1)
        return json_answer({"ok": True, "url": f"{address}/link/?ticket={ticket}&app_id={APP}"})

    async def serve(self, socket: WebSocket) -> None:
        """One socket, until somebody closes it."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets or len(self.open) >= MOST_SOCKETS:
            await socket.close(1008)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        self.workspace.people.over = self.deliver
        self.opened += 1
        self.open.append(socket)
        renewing = asyncio.create_task(self._renew(socket))
        try:
            info = {"app_id": APP}
            hello = {"type": "hello", "num_connections": len(self.open), "connection_info": info}
            await socket.send_json(hello)
            while True:
                self._acknowledged(await socket.receive_json())
        except (WebSocketDisconnect, ValueError, RuntimeError):
            return
        finally:
            renewing.cancel()
            if socket in self.open:
                self.open.remove(socket)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Have every socket renewed: nothing is sent over the present ones any more."""
        ending, self.open = self.open, []
        for socket in ending:
            info = {"host": "applink-1"}
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": info})

    async def drop(self) -> None:
        """Close every socket without a word."""
        ending, self.open = self.open, []
        for socket in ending:
            await socket.close(1011)

    async def deliver(self, kind: str, payload: dict[str, Any], *, answers: bool = True) -> Answered:
        """Send an envelope, again where it is not acknowledged; status 0 where it never is."""
        began = time.monotonic()
        for attempt in range(2):
            answer = await self._deliver(kind, payload, attempt, answers=answers)
            if answer is not None:
                return Answered(200, answer.get("payload"), time.monotonic() - began)
        return Answered(0, None, time.monotonic() - began)

    async def _deliver(
        self, kind: str, payload: dict[str, Any], attempt: int, *, answers: bool
    ) -> dict[str, Any] | None:
        socket = await self._socket(AGAIN_WITHIN_SECONDS if attempt else ACKNOWLEDGED_SECONDS)
        if socket is None:
            return None
        envelope: dict[str, Any] = {
            "envelope_id": secrets.token_hex(16),
            "type": kind,
            "accepts_response_payload": answers,
            "payload": payload,
        }
        if attempt:
            envelope |= {"retry_attempt": attempt, "retry_reason": "timeout"}
        waiting = self._waiting[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        self.delivered.append(envelope)
        try:
            await socket.send_json(envelope)
            async with asyncio.timeout(ACKNOWLEDGED_SECONDS):
                acknowledged: dict[str, Any] = await waiting
                return acknowledged
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return None
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def _socket(self, within: float) -> WebSocket | None:
        deadline = time.monotonic() + within
        while not self.open:
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(0.02)
        return self.open[next(self._turn) % len(self.open)]

    async def _renew(self, socket: WebSocket) -> None:
        await asyncio.sleep(SOCKET_SECONDS)
        await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})

    def _acknowledged(self, said: Any) -> None:
        if self.lost > 0:
            self.lost -= 1
            return
        waiting = self._waiting.get(said.get("envelope_id", "")) if isinstance(said, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(said)
