"""`POST /slack/commands`: `/incident` lists the open incidents, for whoever the settings know.

Being in the workspace is not enough: nobody else learns whether there is an incident.
"""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.people.requests import environments
from deployments.receiver.slack.requests import RESPONSES, SlackDoor, counted, form_schema, understood
from deployments.services.finding import SEARCHED
from deployments.settings.settings import Settings
from runbook.approvals.identity import Proof
from runbook.interactions.listing import open_incidents_lines
from runbook.interactions.payloads import command_of
from runbook.outside_text.slack import SlackText, cut_message, slack, slack_lines

ANSWER_SECONDS = 2.0
"""How long the store may take: Slack gives up after three seconds."""


def add_slack_commands(app: FastAPI, door: SlackDoor, metrics: ReceiverMetrics) -> None:
    """Add the path."""

    async def take(request: Request) -> Response:
        command, speaker, settings = await understood(door, request, command_of)
        if speaker.identity.how is not Proof.SLACK:
            why = f"Your account {command.user_id} is not among the logins of [policy.people]: have it added"
            return _alone(slack(why))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                lines = await _open_incidents(door, settings)
        except TimeoutError:
            return _alone(slack("The store does not answer in time. Try again"))
        return _alone(slack_lines("\n".join(lines)))

    app.post(
        "/slack/commands",
        summary="List the open incidents",
        description="Proof: `X-Slack-Signature`, with the signing secret of `[receiver.slack]`.",
        tags=["people"],
        responses=RESPONSES,
        openapi_extra=form_schema("command", "user_id", "team_id"),
        response_class=Response,
        name="slack command",
    )(counted(take, metrics))


async def _open_incidents(door: SlackDoor, settings: Settings) -> list[str]:
    async with door.people.reading:
        found = await door.people.store.incidents(only_open=True, limit=SEARCHED)
    here = environments(settings)
    mine = [item for item in found if item.environment in here]
    return await asyncio.to_thread(open_incidents_lines, mine)


def _alone(text: SlackText) -> Response:
    """An answer that only who has asked reads."""
    return JSONResponse({"response_type": "ephemeral", "text": str(cut_message(text))})
