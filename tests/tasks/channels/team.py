"""A team that is reminded of an incident, imitated at the wire."""

import dataclasses
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.channels.reminders import LeadNews, Notice, due_lead, due_notice
from runbook.incidents import events as e
from tasks.incident import OpenIncident, now
from tests.runbook.journals import PLAN, asked
from tests.tasks.environments import open_incident

KEYS = Keys.generated(random.Random(7))  # noqa: S311 - repeatable on purpose
LINK = "http://prefect.example/runs/1"


@dataclasses.dataclass
class Team:
    """An incident and who is told of it."""

    incident: OpenIncident
    slack: Workspace
    pager: PagerDuty

    def said(self) -> list[str]:
        """The first lines of all messages in the channel."""
        return [message["text"].splitlines()[0] for message in self.slack.messages]

    def without(self, *systems: str) -> OpenIncident:
        """The incident of a team that does not have these systems."""
        nothing = dict.fromkeys(systems)
        changed = dataclasses.replace(self.incident.environment, **nothing)  # type: ignore[arg-type]
        return OpenIncident(id=self.incident.id, environment=changed)

    async def notice(self) -> Notice | None:
        """What is due now."""
        return due_notice(await self.incident.read(), policy=self.incident.policy, now=now())

    async def lead(self) -> LeadNews | None:
        """The lead of whom the team has to be told now."""
        kinds = [channel.kind for channel in self.incident.environment.speakers]
        told, policy = await self.incident.read(), self.incident.policy
        return due_lead(told, channels=kinds, policy=policy, now=now())

    async def due(self, *, escalated: bool) -> Notice:
        """The notice, whether or not it is due."""
        gate = (await self.incident.read()).pending_gate
        assert gate is not None
        return Notice(gate=gate, escalated=escalated)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    """An incident at a gate, with Slack and a pager imitated at the wire; reminders are due at once."""
    slack, pager = Workspace(KEYS), PagerDuty(KEYS)
    opened = await open_incident(tmp_path, remind_after_seconds=1, escalate_after_seconds=3600)
    async with listening(slack.app) as slack_url, listening(pager.app) as pager_url:
        at_work = dataclasses.replace(
            opened.environment,
            slack=Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{slack_url}/api/"),
            pager=Pager(routing_key=KEYS.pagerduty_routing_key, base_url=pager_url),
        )
        incident = OpenIncident(id=opened.id, environment=at_work)
        await incident.record(e.RunStarted(flow_run_id="run-1", url=LINK))
        await incident.record(e.ActionPreviewed(plan=PLAN, since=now()))
        await write(incident, asked(), at=now() - timedelta(minutes=10))
        yield Team(incident, slack, pager)


async def write(incident: OpenIncident, event: e.Event, *, at: datetime) -> None:
    """Journal an event of another time."""
    await incident.environment.store.append(incident.id, event, at=at)
