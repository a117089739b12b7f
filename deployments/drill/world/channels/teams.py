"""Workflows of Power Automate that post into Microsoft Teams, with the limits of their webhooks.

A workflow that has taken a request answers 202 without a body; that says nothing of the channel. Errors have
the body of Azure Logic Apps: `{"error": {"code": …, "message": …}}`.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.drill.world.faults import TeamsFaults
from deployments.drill.world.servers.answers import json_answer

PATH = "/workflows/{workflow}/triggers/manual/paths/invoke"
MOST_BYTES = 28 * 1024
"""Of a message; Teams refuses a larger one, and the workflow fails."""

SLOW_SECONDS = 0.5
_KINDS = ("message", "application/vnd.microsoft.card.adaptive", "AdaptiveCard", "TextBlock")
"""Of the message, its attachment, the card, and what is in it."""

_VERSION = re.compile(r"1\.[0-5]")


@dataclass
class TeamsWorkflow:
    """`posted` are the texts of the cards, oldest first. `answers` are the statuses of the next requests."""

    workflow: str
    signature: str
    channel: str = "team"
    posted: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    is_slow: bool = False
    url: str = ""
    faults: TeamsFaults = field(default_factory=TeamsFaults)

    @property
    def app(self) -> Starlette:
        """What serves it alone."""
        return workflows_app([self])

    def address(self, origin: str) -> str:
        """The address that Teams shows when the workflow is made; its `sig` is a credential."""
        path = PATH.replace("{workflow}", self.workflow)
        return (
            f"{origin}{path}?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self.signature}"
        )

    async def invoke(self, request: Request) -> Response:
        """Take a request, or say why not."""
        if request.query_params.get("sig") != self.signature:
            return _error(401, "DirectApiAuthorizationRequired", "The request must be authenticated.")
        request.state.authenticated_as = f"workflow of the {self.channel}"
        body = await request.body()
        status = self.answers.pop(0) if self.answers else 202
        if self.faults.throttled_seconds:
            wait = {"Retry-After": str(self.faults.throttled_seconds)}
            return _error(429, "WorkflowTriggerIsThrottled", "The rate of requests is too high.", wait)
        if len(body) > MOST_BYTES:
            return _error(413, "RequestEntityTooLarge", "The message is larger than 28 KB.")
        is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        if not is_json or (text := _text(body)) is None:
            return _error(400, "TriggerInputSchemaMismatch", "The body is no message with an adaptive card.")
        if status < 400 or status >= 500:
            self.posted.append(text)
        if self.is_slow:
            await asyncio.sleep(SLOW_SECONDS)
        return Response(status_code=status)


def workflows_app(workflows: list[TeamsWorkflow]) -> Starlette:
    """One server for all of them, as the region of Power Automate has."""
    by_id: Mapping[str, TeamsWorkflow] = {each.workflow: each for each in workflows}

    async def invoke(request: Request) -> Response:
        known = by_id.get(request.path_params["workflow"])
        if known is None:
            return _error(401, "DirectApiAuthorizationRequired", "The request must be authenticated.")
        return await known.invoke(request)

    return Starlette(routes=[Route(PATH, invoke, methods=["POST"])])


def _text(body: bytes) -> str | None:
    """The text of the one card; none where the body is anything else, or the card mentions somebody."""
    try:
        message = json.loads(body)
        (card,) = message["attachments"]
        content: dict[str, Any] = card["content"]
        (block,) = content["body"]
        kinds = message["type"], card["contentType"], content["type"], block["type"]
        if kinds != _KINDS or _VERSION.fullmatch(content["version"]) is None:
            return None
        if content.get("msteams", {}).get("entities"):
            return None  # a card that mentions somebody is none of ours
        text = block["text"]
        return text if isinstance(text, str) and text.strip() else None
    except (ValueError, KeyError, TypeError):
        return None


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return json_answer({"error": {"code": code, "message": message}}, status, headers)
