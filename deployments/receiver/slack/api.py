"""`POST /slack/interactions` and `/slack/commands`: what people click, fill in and type."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.slack.commands import answer_command
from deployments.receiver.slack.interacting import Answer, answer_interaction
from deployments.receiver.slack.requests import RESPONSES, SlackDoor, counted, form_schema, understood
from runbook.interactions.payloads import command_of, interaction_of

_PROOF = "Proof: `X-Slack-Signature`, with the signing secret of `[receiver.slack]`."


def add_slack_api(app: FastAPI, door: SlackDoor, metrics: ReceiverMetrics) -> None:
    """Add the paths. What they begin and do not finish is kept in the door's `under_way`."""

    async def interaction(request: Request) -> Response:
        return _response(await answer_interaction(door, *await understood(door, request, interaction_of)))

    async def command(request: Request) -> Response:
        return _response(await answer_command(door, *await understood(door, request, command_of)))

    def add(
        path: str, summary: str, take: Callable[[Request], Awaitable[Response]], name: str, *fields: str
    ) -> None:
        app.post(
            path,
            summary=summary,
            description=_PROOF,
            tags=["people"],
            responses=RESPONSES,
            openapi_extra=form_schema(*fields),
            response_class=Response,
            name=name,
        )(counted(take, metrics))

    add("/slack/interactions", "What people click and fill in", interaction, "slack", "payload")
    fields = ("command", "user_id", "team_id")
    add("/slack/commands", "What people type after `/incident`", command, "slack command", *fields)


def _response(answer: Answer) -> Response:
    return Response() if answer is None else JSONResponse(answer)
