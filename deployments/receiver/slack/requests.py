"""A request of Slack's: signed, bounded, and counted as the requests of other sources are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import STRANGERS_BYTES, Budget, Rejected, read_body
from deployments.receiver.connections.connections import vouch_for
from deployments.receiver.connections.few_lines import FewLines
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.people.requests import PeoplesDoor
from deployments.receiver.slack.proving import is_recent, is_signed, require_ours, speaker_of
from deployments.receiver.slack.under_way import UnderWay
from deployments.services.speaker import Speaker
from deployments.settings.settings import ConfigurationError, Settings
from runbook.interactions.payloads import Command, Interaction, UnreadableInteraction

SOURCE = "slack"
"""What its requests are counted as."""

MAX_BYTES = 256 * 1024
"""A dialog may have 250 kB, Slack says; a click has the message with it."""

FORM = "application/x-www-form-urlencoded"

NOT_SET_UP = "Set signing_secret in [receiver.slack]: without one nobody can act from Slack"
OVER_A_SOCKET = "Turn Socket Mode on in the app's settings: app_token is set, so nothing is taken over HTTP"

AskedT = TypeVar("AskedT", Command, Interaction)

log = logging.getLogger("runbook.receiver")
few_lines = FewLines(log)


@dataclass(frozen=True)
class SlackDoor:
    """What the endpoints need: whom they serve, and what they have not finished."""

    people: PeoplesDoor
    under_way: UnderWay
    budget: Budget = field(default_factory=lambda: Budget(STRANGERS_BYTES, for_strangers=True))


async def signed_body(door: SlackDoor, request: Request) -> tuple[bytes, Settings]:
    """The body of a form that Slack has signed, and the settings of this moment.

    Raises:
        Rejected: it is not proven to be Slack's, or Slack is not set up.
    """
    if not is_recent(request.headers, datetime.now(UTC)):
        raise Rejected(401, "unauthenticated", "not authenticated")
    async with door.people.looking:
        settings = await asyncio.to_thread(settings_now, door)
    secrets = settings.receiver.slack.secrets
    if not secrets:
        step = NOT_SET_UP if settings.receiver.slack.app_token is None else OVER_A_SOCKET
        raise Rejected(404, "closed", "not found", operator_step=step)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM:
        raise Rejected(415, "no form", f"the content type is not {FORM}")
    body = await read_body(request, MAX_BYTES, door.budget)
    if not is_signed(request.headers, body, secrets):
        step = "If it is your Slack app, set its signing secret in [receiver.slack]"
        raise Rejected(401, "unauthenticated", "not authenticated", operator_step=step)
    vouch_for(request.scope)
    return body, settings


async def understood(
    door: SlackDoor, request: Request, read: Callable[[bytes], AskedT]
) -> tuple[AskedT, Speaker, Settings]:
    """What a request of Slack's asks for, whose it is, and the settings of this moment.

    Raises:
        Rejected: it is not proven to be Slack's or our app's, or cannot be read.
    """
    body, settings = await signed_body(door, request)
    try:
        asked = read(body)
    except UnreadableInteraction as error:
        raise Rejected(422, "unreadable", str(error)) from None
    return asked, await spoken_by(asked, settings), settings


async def spoken_by(asked: Command | Interaction, settings: Settings) -> Speaker:
    """Whose it is.

    Raises:
        Rejected: it is of another app or workspace.
    """
    require_ours(settings.receiver.slack, asked.user, asked.team, asked.api_app_id)
    return await asyncio.to_thread(speaker_of, asked.user, settings)


def settings_now(door: SlackDoor) -> Settings:
    """The settings of this moment.

    Raises:
        Rejected: they cannot be read.
    """
    try:
        return door.people.settings()
    except ConfigurationError as error:
        log_event(log, "settings cannot be read", level=logging.ERROR, error=str(error))
        raise Rejected(503, "settings", "the receiver's settings have mistakes") from None


def counted(
    take: Callable[[Request], Awaitable[Response]], metrics: ReceiverMetrics
) -> Callable[[Request], Awaitable[Response]]:
    """Counts requests, and tells in one line what was refused."""

    async def answer(request: Request) -> Response:
        began = perf_counter()
        try:
            response = await take(request)
        except Rejected as error:
            metrics.refused.labels(SOURCE, error.reason).inc()
            return _refusal(request, error)
        except OutsideError as error:
            metrics.refused.labels(SOURCE, "unavailable").inc()
            return _refusal(request, Rejected(503, "unavailable", f"{error.system}: it cannot be used"))
        finally:
            metrics.seconds.labels(SOURCE).observe(perf_counter() - began)
        metrics.accepted.labels(SOURCE).inc()
        return response

    return answer


_HEADERS = {
    401: {"www-authenticate": "Slack-Signature"},
    408: {"connection": "close"},
    413: {"connection": "close"},
    503: {"retry-after": "5"},
}


def _refusal(request: Request, error: Rejected) -> Response:
    few_lines.log_event(
        "request refused",
        level=logging.WARNING,
        path=request.url.path,
        status=error.status,
        error=error.error,
        next_step=error.operator_step,
    )
    return JSONResponse({"error": error.error}, status_code=error.status, headers=_HEADERS.get(error.status))


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done, or it goes on. For a dialog, what is wrong with it."},
    401: {"description": "The request is not signed, or its time is not within five minutes."},
    403: {"description": "It is of another app or workspace."},
    404: {"description": "Slack is not set up here."},
    408: {"description": "The body took too long."},
    413: {"description": "The body is too long."},
    415: {"description": "The content type is not that of a form."},
    422: {"description": "The form has nothing that can be read."},
    503: {"description": "The settings or the store cannot be read, or too much is under way."},
}


def form_schema(*required: str) -> dict[str, Any]:
    """The form that a path takes, for the description."""
    fields = {name: {"type": "string"} for name in required}
    schema = {"type": "object", "required": list(required), "properties": fields}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}
