"""Prefect's UI speaks to the API at the address at which its page was opened, of those that are ours.

Prefect tells its UI one address of the API. Behind a proxy with a public address, that would be one on the
machine of whoever looks.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SETTINGS = "/ui-settings"
_HOSTS = ("x-forwarded-host", "host")


class SameAddress:
    """ASGI middleware that corrects the UI's settings. `origins` are those of the UI."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self._app = app
        self._origins = {urlsplit(origin).netloc: origin for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and the settings with another address."""
        origin = self._opened_at(scope)
        if origin is None:
            await self._app(scope, receive, send)
            return
        asked = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        await self._app({**scope, "headers": asked}, receive, _Settings(send, f"{origin}/api"))

    def _opened_at(self, scope: Scope) -> str | None:
        """The address of ours that the request names, also through a proxy; a foreign one changes nothing."""
        if scope["type"] != "http" or scope["path"] != _SETTINGS:
            return None
        headers = Headers(scope=scope)
        told = (headers.get(name, "").lower() for name in _HOSTS)
        return next((self._origins[host] for host in told if host in self._origins), None)


class _Settings:
    """What is sent: the settings are held back until they are complete."""

    def __init__(self, send: Send, api_url: str) -> None:
        self._send = send
        self._api_url = api_url
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                body = orjson.dumps(orjson.loads(self._body) | {"api_url": self._api_url})
                MutableHeaders(scope=self._start)["content-length"] = str(len(body))
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": body})
        else:
            await self._send(message)
