"""From a yes in the journal to the request at the cluster, and from a click to what its message shows."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployments.drill.run.slack_answers import ACCOUNT
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.incidents.events import ApprovalAnswered
from tests.fixtures.cases import Case
from tests.fixtures.eventually import eventually

SURFACES = ("CLI", "Slack", "Prefect's form")
_QUIET_SECONDS = 2.0
_PERSON = "bench"
_POLL_SECONDS, _SHOWN_WITHIN_SECONDS = 0.02, 60.0


@dataclass(frozen=True)
class Request:
    """Seconds from an answer, by the way it came, to the first request that changes the cluster."""

    surface: str
    seconds: float
    clicked: "Clicked | None" = None
    """What followed the click, where it was one."""


@dataclass(frozen=True)
class Clicked:
    """Seconds from a click in Slack until its message shows the answer, and until the cluster is changed."""

    shown: float
    changed: float


async def measure_answer(house: Case, surface: str) -> Request:
    """Approve the first question of the house's alert."""
    await house.alert()
    gate = await house.gate()
    await asyncio.sleep(_QUIET_SECONDS)
    clicked, shown = datetime.now(UTC), asyncio.create_task(_shown(house, gate))
    given = await _approve(house, gate, surface)

    async def changed() -> list[dict[str, Any]]:
        return house.changes()

    changes = await eventually(changed, bool)
    at = datetime.fromisoformat(changes[0]["at"])
    if given is None:
        answered = [it.at for it in (await house.read()).journal if isinstance(it.event, ApprovalAnswered)]
        given = answered[-1]
    seen = await shown
    after = Clicked((seen - clicked).total_seconds(), (at - clicked).total_seconds())
    return Request(surface, (at - given).total_seconds(), after if surface == "Slack" else None)


async def _shown(house: Case, gate: PendingGate) -> datetime:
    """When the question's message shows an answer, without its buttons."""
    until = asyncio.get_running_loop().time() + _SHOWN_WITHIN_SECONDS
    button = f'"{gate.gate}"'
    while asyncio.get_running_loop().time() < until:
        if not any(button in json.dumps(it.get("blocks")) for it in house.world.systems.slack.messages):
            return datetime.now(UTC)
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError("the message goes on asking")


async def _approve(house: Case, gate: PendingGate, surface: str) -> datetime | None:
    """Approve; returns when, where the journal does not tell it: a form is journalled by the run itself."""
    if surface == "CLI":
        answer = Answer(choice=Choice.APPROVE, approver=_PERSON, reason="measured", channel="cli")
        await house.answer(answer)
        return None
    if surface == "Slack":
        url = f"{house.receiver_url}/slack/interactions"
        people = house.world.systems.slack.people
        await people.click(url, user=ACCOUNT, action_id="runbook.approve", containing=f'"{gate.gate}"')
        return None
    submitted = datetime.now(UTC)
    assert await house.fill_in(gate, decision="approve", approver=_PERSON, reason="measured")
    return submitted
