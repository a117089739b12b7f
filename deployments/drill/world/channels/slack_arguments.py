"""The arguments of a method of Slack's Web API, in the query, a form or JSON, and how one is refused."""

import json
from typing import Any

from starlette.requests import Request

from deployments.drill.world.servers.answers import form_fields

Args = dict[str, Any]
ORIGIN = " origin"
"""Where the workspace was asked; no argument of Slack's has such a name."""


class Refused(Exception):
    """An answer with `ok: false`: the error, what it is explained with, and what else it says."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: str) -> None:
        super().__init__(error)
        self.answer: Args = {"ok": False, "error": error, **more}
        if messages:
            self.answer["response_metadata"] = {"messages": messages}


async def arguments(request: Request) -> Args:
    """All of them; what is JSON in a form is read."""
    args: Args = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = await request.json()
        except ValueError:
            body = None
        args |= body if isinstance(body, dict) else {}
    else:
        args |= await form_fields(request)
        for name in ("blocks", "attachments", "metadata", "files"):
            if isinstance(args.get(name), str):
                try:
                    args[name] = json.loads(args[name])
                except ValueError:
                    args[name] = None if name == "metadata" else "unreadable"
    return args | {ORIGIN: str(request.base_url).rstrip("/")}
