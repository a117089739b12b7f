"""Answering a drill's questions where people are: by the buttons that the runbook posts in Slack."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from blocks.transport.errors import Refused, Unavailable
from deployments.drill.world.process import WorldProcess
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.channels.buttons import ButtonKind
from runbook.incidents.incident import Incident
from runbook.interactions.modals import INSTEAD_FIELD, PARAMETER, REASON

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore

ACCOUNT = "U0DRILL"
"""Who answers, as the workspace knows them."""

PERSON = "drill"
"""Who that is, as the settings know them."""

POSTED_WITHIN_SECONDS = 30.0
TAKEN_WITHIN_SECONDS = 15.0
_POLL_SECONDS = 0.25
_BUTTONS = {
    Choice.APPROVE: ButtonKind.APPROVE,
    Choice.REJECT: ButtonKind.REJECT,
    Choice.EDIT: ButtonKind.EDIT,
    Choice.SNOOZE: ButtonKind.SNOOZE,
}


class SlackAnswers:
    """Clicks in the world's workspace; what is clicked goes to the receiver as Slack sends it."""

    def __init__(self, world: WorldProcess, receiver_url: str, store: "IncidentStore") -> None:
        self._world = world
        self._url = f"{receiver_url}/slack/interactions"
        self._store = store

    async def answer(self, incident: Incident, gate: PendingGate, answer: Answer) -> None:
        """Answer a question by its button, and in the dialog that it opens.

        Raises:
            Refused: the receiver does not take the click, or its person is told why not.
            Unavailable: no button is posted, or nothing comes of the click.
        """
        await self._click(_BUTTONS[answer.choice], gate)
        if answer.choice in (Choice.REJECT, Choice.EDIT):
            await self._submit(_fields(answer))
        await self._until_taken(incident.id, gate)

    async def _click(self, kind: ButtonKind, gate: PendingGate) -> None:
        order = {"action_id": f"runbook.{kind.value}", "containing": f'"{gate.gate}"'}
        clock = asyncio.get_running_loop().time
        deadline = clock() + POSTED_WITHIN_SECONDS
        while (answered := await self._world.click(self._url, user=ACCOUNT, **order)) is None:
            if clock() >= deadline:
                raise Unavailable("Slack", f"no button for {gate.gate} was posted", "See the worker's log")
            await asyncio.sleep(_POLL_SECONDS)
        _require_ok(answered.status, answered.body)

    async def _submit(self, fields: Mapping[str, str]) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + POSTED_WITHIN_SECONDS
        while (answered := await self._world.submit(self._url, user=ACCOUNT, fields=fields)) is None:
            if clock() >= deadline:
                raise Unavailable("Slack", "no dialog was opened", "See the receiver's log")
            await asyncio.sleep(_POLL_SECONDS)
        _require_ok(answered.status, answered.body)

    async def _until_taken(self, incident_id: str, gate: PendingGate) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + TAKEN_WITHIN_SECONDS
        while gate.gate not in (await self._store.read(incident_id)).closed_gates:
            if clock() >= deadline:
                told = (await self._world.state())["slack_told"].get(ACCOUNT, ["nothing"])[-1]
                raise Refused("Slack", f"the answer was not taken; told: {told}", "See the receiver's log")
            await asyncio.sleep(_POLL_SECONDS)


def _require_ok(status: int, body: object) -> None:
    if status != httpx.codes.OK or isinstance(body, dict):
        why = f"HTTP {status}, {body}" if status else "no answer within three seconds"
        raise Refused("alert receiver", f"it does not take what is clicked: {why}", "See its log")


def _fields(answer: Answer) -> dict[str, str]:
    """What is filled in."""
    if answer.choice is Choice.EDIT:
        return {f"{PARAMETER}{name}": value for name, value in answer.parameters.items()}
    instead = {INSTEAD_FIELD: answer.instead.value} if answer.instead else {}
    return {REASON: answer.reason} | instead
