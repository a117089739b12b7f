"""Who reaches our own Prefect server: a browser only from its own UI, everybody only with the password.

Prefect checks the password in its API, as a header or as the first message of a websocket. A page of any
origin can still open websockets and keep them: a hundred, and Prefect answers nobody any more. A name that an
attacker points at 127.0.0.1 makes any page the same origin (DNS rebinding). Both end here, before Prefect.
"""

import asyncio
import base64
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = frozenset({"/api/health", "/api/ready"})
"""What the API answers to anybody who asks with GET: that it is there."""

CLOSED = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""FastAPI's pages about the API. Their scripts come from elsewhere, into the origin that has the password."""

FIRST_WORD_SECONDS = 10.0
"""How long a websocket may wait with its first message, which has to be the password."""


class Guard:
    """ASGI middleware for http and websocket. `origins` are those of the UI, `password` the auth string."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str], password: str) -> None:
        hosts = sorted({host for origin in origins if (host := urlsplit(origin).hostname)})
        self._app = app
        self._origins = frozenset(origins)
        self._authorization = b"Basic " + base64.b64encode(password.encode())
        self._headers = _for_browsers(origins)
        self._hosts = TrustedHostMiddleware(self._pass_on, allowed_hosts=hosts, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        await self._hosts(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What was sent to a host name of ours."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        ours = self._origins.issuperset(headers.getlist("origin"))
        if scope["type"] == "websocket":
            if ours:
                await self._app(scope, _FirstWord(receive), send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        elif not ours:
            await PlainTextResponse("Foreign origin", 403)(scope, receive, send)
        elif scope["path"] in CLOSED:
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        elif _needs_password(scope) and not self._knows_password(headers):
            await PlainTextResponse("Unauthorized", 401)(scope, receive, send)
        else:
            await self._app(scope, receive, self._with_headers(send))

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        return send_with_headers

    def _knows_password(self, headers: Headers) -> bool:
        given = headers.get("authorization", "").encode("latin-1")
        return secrets.compare_digest(given, self._authorization)


def _needs_password(scope: Scope) -> bool:
    """Prefect asks again, but only after it has asked for a CSRF token. A preflight has no credentials."""
    path: str = scope["path"]
    method: str = scope["method"]
    if method == "OPTIONS" or (method == "GET" and path in OPEN):
        return False
    return path == "/api" or path.startswith("/api/")


class _FirstWord:
    """The messages of a websocket, of which the first after connecting has to come soon."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._asked_for = 0

    async def __call__(self) -> Message:
        self._asked_for += 1
        if self._asked_for != 2:
            return await self._receive()
        try:
            async with asyncio.timeout(FIRST_WORD_SECONDS):
                return await self._receive()
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1008, "reason": "nothing was said"}


def _for_browsers(origins: Collection[str]) -> dict[str, str]:
    """No page shows the UI in a frame, to have its buttons clicked, and the UI speaks to this server alone.

    Prefect's second UI asks a service that records sessions for its settings, analytics off or not.
    """
    sockets = (origin.replace("http", "ws", 1) for origin in origins)
    reachable = " ".join(["'self'", *origins, *sockets])
    policy = f"frame-ancestors 'none'; connect-src {reachable}"
    return {"content-security-policy": policy, "x-frame-options": "DENY"}
