"""What the imitated systems read and answer alike: JSON, form fields, an edge's error page."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_EDGE_PAGE = (
    "<!DOCTYPE html><html><head><title>{title}</title></head>"
    "<body><center><h1>{title}</h1></center><hr><center>cloudflare</center></body></html>"
)


def edge_page(status: int, reason: str) -> HTMLResponse:
    """Return the HTML error page that a load balancer answers in place of its application."""
    return HTMLResponse(_EDGE_PAGE.format(title=f"{status} {reason}"), status_code=status)


async def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a URL-encoded body, the last of each name; empty for any other body."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl((await request.body()).decode("utf-8", errors="replace"), keep_blank_values=True))


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return compact JSON, as these services answer it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status_code=status, media_type="application/json", headers=headers)
