"""From a yes in the journal to the request at the cluster."""

import asyncio
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


@dataclass(frozen=True)
class Request:
    """Seconds from an answer, by the way it came, to the first request that changes the cluster."""

    surface: str
    seconds: float


async def measure_answer(house: Case, surface: str) -> Request:
    """Approve the first question of the house's alert."""
    await house.alert()
    gate = await house.gate()
    await asyncio.sleep(_QUIET_SECONDS)
    given = await _approve(house, gate, surface)

    async def changed() -> list[dict[str, Any]]:
        return house.changes()

    changes = await eventually(changed, bool)
    at = datetime.fromisoformat(changes[0]["at"])
    if given is None:
        answered = [it.at for it in (await house.read()).journal if isinstance(it.event, ApprovalAnswered)]
        given = answered[-1]
    return Request(surface, (at - given).total_seconds())


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
