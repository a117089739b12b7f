"""A link into Prefect's classic UI leads to its form for the password first, and then to where it leads.

That UI keeps the password in the browser's storage, where no server sees it, and only some of its pages ask
for one: that of a flow run stays blank. So each page asks before the UI begins to draw it.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.prefect.question_style import STYLE

LOGIN = "/login"

ASK = """<script>
  (async () => {
    const known = localStorage.getItem("prefect-password");
    const headers = known ? {authorization: `Basic ${known}`} : {};
    const answer = await fetch("/api/admin/version", {headers});
    if (answer.status === 401 && location.pathname !== "/login")
      location.replace(`/login?redirect=${encodeURIComponent(location.pathname + location.search)}`);
  })();
</script>"""

_HEAD = b"<head>"
_NO_PAGES = ("/api", "/v2")
_UNCHANGED = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"})
"""What a browser asks to be spared of: parts, what it has, and what is not compressed. Pages are short."""


class LoginFirst:
    """ASGI middleware that has each page of the classic UI ask whether the browser knows the password."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and pages with the question and the form's style in them."""
        if not _asks_for_page(scope):
            await self._app(scope, receive, send)
            return
        asked = [header for header in scope["headers"] if header[0] not in _UNCHANGED]
        await self._app({**scope, "headers": asked}, receive, _Page(send))


def _asks_for_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path: str = scope["path"]
    if path == LOGIN or any(path == top or path.startswith(f"{top}/") for top in _NO_PAGES):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


class _Page:
    """What is sent: a page is held back until it is complete, anything else goes on as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_web_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._complete(self._start)
        else:
            await self._send(message)

    async def _complete(self, start: Message) -> None:
        page = self._body.replace(_HEAD, _HEAD + ASK.encode() + STYLE.encode(), 1)
        headers = MutableHeaders(scope=start)
        del headers["etag"], headers["last-modified"]  # of the file, without the question
        headers["content-length"] = str(len(page))
        headers["cache-control"] = "no-cache"
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page})


def _is_web_page(start: Message) -> bool:
    kind = Headers(raw=start.get("headers", [])).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")
