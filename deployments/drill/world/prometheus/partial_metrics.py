"""A querier in front of several stores, as Thanos has it, one of whose stores does not answer.

It answers 200 with what the others have, and says what is missing in `warnings` only: the numbers alone look
healthy. Source: Thanos' documentation of partial responses.
"""

import json
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WARNING = (
    'receive series from Addr: thanos-store-1:10901 LabelSets: {replica="1"}: rpc error: '
    "code = Unavailable desc = transport is closing"
)


class PartialMetrics:
    """Passes everything on; while :attr:`partial`, answers of queries lack their largest series."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of ``app``."""
        self.partial = False
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not self.partial:
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._app(scope, receive, collect)
        answer = without_a_store(body) if _is_json(start) else body
        fields = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await send({**start, "headers": [*fields, (b"content-length", str(len(answer)).encode())]})
        await send({"type": "http.response.body", "body": answer})


def without_a_store(body: bytes) -> bytes:
    """An answer to a query without its largest series, with the warning about it."""
    document: dict[str, Any] = json.loads(body)
    data = document.get("data")
    if document.get("status") != "success" or not isinstance(data, dict) or "result" not in data:
        return body
    series = data["result"]
    if len(series) > 1:
        series.remove(max(series, key=_newest_value))
    return json.dumps({**document, "warnings": [WARNING]}).encode()


def _newest_value(series: dict[str, Any]) -> float:
    _, value = series["value"] if "value" in series else series["values"][-1]
    return float(value)


def _is_json(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("application/json")
