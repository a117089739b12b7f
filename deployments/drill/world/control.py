"""The drill's handle on a running world: look at what is true, read what was sent, change what is wrong."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from deployments.drill.world.servers.answers import json_answer


class AlertOrder(BaseModel):
    """Body of ``POST /alert``."""

    model_config = ConfigDict(extra="forbid")

    url: str
    """The receiver's endpoint for Alertmanager."""
    token: str | None = None
    """In place of the world's own token."""
    status: Literal["firing", "resolved"] = "firing"
    other: int | None = Field(default=None, ge=0)
    """The number of an alert of another service, instead of the scenario's own."""


class SlackOrder(BaseModel):
    """Body of ``POST /slack``: somebody clicks a button, or sends off the dialog that is open at them."""

    model_config = ConfigDict(extra="forbid")

    url: str
    """Where the app's requests go."""
    user: str
    action_id: str = ""
    """The button; without one, the dialog is sent off."""
    containing: str = ""
    """What stands in the button's value."""
    fields: dict[str, str] = {}
    """What is filled in."""


class Controlled(Protocol):
    """What the control server needs of a world."""

    def state(self) -> dict[str, Any]:
        """Return what is true now, without secrets."""

    def requests(self, system: str | None, since: datetime | None) -> list[dict[str, Any]]:
        """Return the recorded requests, of one system if named, from a time on."""

    async def change(self, patch: dict[str, Any], *, who: str, what: str) -> None:
        """Patch the faults. Raises ``pydantic.ValidationError``."""

    async def alert(self, order: AlertOrder) -> dict[str, Any]:
        """Send the scenario's alert and return the receiver's answer."""

    async def in_slack(self, order: SlackOrder) -> dict[str, Any]:
        """Have a person act in Slack and return the app's answer. Raises ``LookupError``."""

    def slack_page(self) -> str:
        """The incident channel as people see it, in HTML."""

    def read_page(self) -> str:
        """The e-mails and the messages in Teams as people read them, in HTML."""


def control_app(world: Controlled) -> Starlette:
    """Return the control server's application.

    ``GET /requests?system=&since=``, ``GET /state``, ``POST /fault`` (a patch of the faults),
    ``POST /alert`` (an :class:`AlertOrder`), ``POST /slack`` (a :class:`SlackOrder`), ``GET /slack``, the
    incident channel as a page, and ``GET /read``, the e-mails and what is in Teams.
    """

    async def requests(request: Request) -> Response:
        since = request.query_params.get("since")
        try:
            start = datetime.fromisoformat(since) if since else None
        except ValueError:
            return json_answer({"error": "since is no RFC 3339 time"}, 400)
        return json_answer(world.requests(request.query_params.get("system"), start))

    async def state(_request: Request) -> Response:
        return json_answer(world.state())

    async def fault(body: Any) -> Response:
        await world.change(body, who="control", what="changes the faults")
        return json_answer(world.state())

    async def alert(body: Any) -> Response:
        try:
            return json_answer(await world.alert(AlertOrder.model_validate(body)))
        except httpx.TransportError as error:
            return json_answer({"error": f"the receiver gave no answer: {type(error).__name__}"}, 502)

    async def slack_page(_request: Request) -> Response:
        return HTMLResponse(world.slack_page())

    async def read_page(_request: Request) -> Response:
        return HTMLResponse(world.read_page())

    async def in_slack(body: Any) -> Response:
        try:
            return json_answer(await world.in_slack(SlackOrder.model_validate(body)))
        except LookupError as error:
            return json_answer({"error": str(error)}, 404)

    return Starlette(
        routes=[
            Route("/requests", requests),
            Route("/state", state),
            Route("/fault", _posted(fault), methods=["POST"]),
            Route("/alert", _posted(alert), methods=["POST"]),
            Route("/slack", slack_page, methods=["GET"]),
            Route("/read", read_page),
            Route("/slack", _posted(in_slack), methods=["POST"]),
        ]
    )


def _posted(handle: Callable[[Any], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def post(request: Request) -> Response:
        try:
            body = await request.json()
        except ValueError:
            return json_answer({"error": "the body is not JSON"}, 400)
        if not isinstance(body, dict):
            return json_answer({"error": "the body is no object"}, 400)
        try:
            return await handle(body)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            return json_answer({"error": problems}, 422)

    return post
