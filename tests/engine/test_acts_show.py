"""What people do about an incident is seen in the channel within moments, not at the next look."""

from pathlib import Path

import httpx
import pytest

from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import EffectSettled, LeadAssigned, StatusAnnounced, UpdateRequested
from runbook.incidents.incident import Incident
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_a_lead_and_an_update_reach_the_channel_at_once(engine: Engine, tmp_path: Path) -> None:
    """The first message shows who leads, and the channel is told what somebody asked for."""
    policy = {"takeover_after_seconds": 600}  # no look at the runs comes within the test
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as response:
        await response.alert()
        await response.gate()
        await post(response, "lead")
        await response.until(shows_the_lead)
        await post(response, "updates")
        await response.until(told_since)


async def post(response: Case, act: str) -> None:
    """Do it over the receiver's local socket, as the account of this test."""
    [socket] = response.folder.rglob("receiver.sock")
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver", timeout=30) as client:
        answer = await client.post(f"/api/incidents/{response.incident_id}/{act}", json={})
    assert answer.status_code == 200, answer.text


def shows_the_lead(incident: Incident) -> bool:
    """Whether a message was changed where it stands since somebody took the lead."""
    changed = (item.event for item in incident.since(LeadAssigned) if isinstance(item.event, EffectSettled))
    return any(
        event.effect.message.edited is not None and event.effect.outcome is EffectOutcome.APPLIED
        for event in changed
    )


def told_since(incident: Incident) -> bool:
    """Whether the channel was told where things stand since somebody asked for it."""
    since = incident.since(UpdateRequested)
    return any(isinstance(item.event, StatusAnnounced) and item.event.channel == "slack" for item in since)
