"""What comes over a socket, for the same handlers as what comes over HTTP; counted and refused alike.

An envelope that comes again counts once, as a request does: what it does is journalled under a key of its
payload, which is the same both times. It is journalled first, then acknowledged.
"""

import asyncio
import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from slack_sdk.socket_mode.request import SocketModeRequest

from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.slack.commands import answer_command
from deployments.receiver.slack.interacting import Answer, answer_interaction
from deployments.receiver.slack.requests import SOURCE, SlackDoor, few_lines, settings_now, spoken_by
from deployments.receiver.slack.socket_mode.client import NotTaken
from runbook.interactions.payloads import Command, UnreadableInteraction, command_in, interaction_in

INTERACTIVE, COMMAND = "interactive", "slash_commands"

log = logging.getLogger("runbook.receiver")


async def take_envelope(door: SlackDoor, metrics: ReceiverMetrics, request: SocketModeRequest) -> Answer:
    """Do what an envelope asks for, and say what it is answered.

    Raises:
        NotTaken: it is refused, or could not be carried out.
    """
    began = perf_counter()
    try:
        answer = await _answer(door, request)
    except Rejected as error:
        _refused(metrics, request, error)
        raise NotTaken from None
    except OutsideError as error:
        _refused(metrics, request, Rejected(503, "unavailable", f"{error.system}: it cannot be used"))
        raise NotTaken from None
    except Exception as error:
        log_event(log, "an envelope failed", level=logging.ERROR, error=type(error).__name__)
        raise NotTaken from None
    finally:
        metrics.seconds.labels(SOURCE).observe(perf_counter() - began)
    metrics.accepted.labels(SOURCE).inc()
    return answer


async def _answer(door: SlackDoor, request: SocketModeRequest) -> Answer:
    payload: Mapping[str, Any] = request.payload
    if request.type not in (INTERACTIVE, COMMAND):
        return None  # an app is sent what it has subscribed to, and the runbook needs nothing of that
    try:
        asked = interaction_in(payload) if request.type == INTERACTIVE else command_in(payload)
    except UnreadableInteraction as error:
        raise Rejected(422, "unreadable", str(error)) from None
    async with door.people.looking:
        settings = await asyncio.to_thread(settings_now, door)
    if settings.receiver.slack.app_token is None:
        raise Rejected(404, "closed", "not found", operator_step="Restart the receiver: app_token is gone")
    speaker = await spoken_by(asked, settings)
    if isinstance(asked, Command):
        return await answer_command(door, asked, speaker, settings)
    return await answer_interaction(door, asked, speaker, settings)


def _refused(metrics: ReceiverMetrics, request: SocketModeRequest, error: Rejected) -> None:
    metrics.refused.labels(SOURCE, error.reason).inc()
    few_lines.log_event(
        "envelope refused",
        level=logging.WARNING,
        type=request.type[:40],
        retry=request.retry_attempt,
        status=error.status,
        error=error.error,
        next_step=error.operator_step,
    )
