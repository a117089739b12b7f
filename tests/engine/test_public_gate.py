"""A text for the public waits while the response goes on, and is on the page once somebody clicks."""

from pathlib import Path

import pytest

from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_the_response_ends_while_its_texts_wait_and_each_yes_publishes_one(
    engine: Engine, tmp_path: Path
) -> None:
    """The entry is made by a click at the gate of the change, and ended by one after the incident is."""
    policy = {"public": "{ publish_without_asking = [] }"}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as response:
        await response.alert()
        await response.gate()
        page = response.world.systems.statuspage_api.incidents
        assert page == []
        await click_publish(response, State.IDENTIFIED)
        await response.until(lambda it: told(it) == ["IDENTIFIED"])
        [entry] = page
        assert entry["status"] == "identified"

        ended = await response.follow("auto")
        assert ended.outcome is IncidentOutcome.RECOVERED
        assert entry["status"] == "identified"
        await click_publish(response, State.RESOLVED)
        await response.until(lambda it: told(it) == ["IDENTIFIED", "RESOLVED"])
        assert (len(page), entry["status"]) == (1, "resolved")
        answers = (await response.read()).events(e.PublicTextApproved)
        assert [it.by for it in answers] == ["U0ANA", "U0ANA"]


async def click_publish(response: Case, state: State) -> None:
    """Ana publishes the text of that state, once its message is in the channel."""
    proposed = await response.until(lambda it: _digest(it, state) != "")
    digest, slack = _digest(proposed, state), response.world.systems.slack

    async def posted() -> bool:
        return any(digest in str(message.get("blocks")) for message in slack.messages)

    assert await eventually(posted, bool)
    url = f"{response.receiver_url}/slack/interactions"
    answered = await slack.people.click(url, user="U0ANA", action_id="runbook.publish", containing=digest)
    assert answered.status == 200


def _digest(incident: Incident, state: State) -> str:
    return next((it.digest for it in incident.events(e.PublicTextProposed) if it.state == state), "")


def told(incident: Incident) -> list[str]:
    """What the page was told, oldest first."""
    return [it.state for it in incident.announcements if it.channel == "status-page"]
