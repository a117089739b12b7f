"""Everyone who is told of an incident, imitated at the wire."""

import dataclasses
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from blocks.channels.status_page_publisher import StatusPagePublisher
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.channels.statuspage import PAGE_ID, StatuspageApi
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.incidents.escalations import Escalation, EscalationKind
from tasks.incident import OpenIncident
from tests.tasks.environments import open_incident

KEYS = Keys.generated(random.Random(7))  # noqa: S311 - repeatable on purpose


@dataclasses.dataclass
class Audience:
    """Everyone who is told, and the incident."""

    incident: OpenIncident
    slack: Workspace
    page: StatuspageApi
    pager: PagerDuty

    def said(self) -> list[str]:
        """The first lines of all messages in the channel."""
        return [message["text"].splitlines()[0] for message in self.slack.messages]


@pytest.fixture
async def audience(tmp_path: Path) -> AsyncIterator[Audience]:
    """An incident with Slack, a status page and a pager, all imitated at the wire."""
    slack, page, pager = Workspace(KEYS), StatuspageApi(KEYS), PagerDuty(KEYS)
    incident = await open_incident(tmp_path)
    async with (
        listening(slack.app) as slack_url,
        listening(page.app) as page_url,
        listening(pager.app) as url,
    ):
        environment = dataclasses.replace(
            incident.environment,
            slack=Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{slack_url}/api/"),
            status_page_publisher=StatusPagePublisher(
                provider="statuspage", api_key=KEYS.statuspage_key, page_id=PAGE_ID, base_url=f"{page_url}/v1"
            ),
            pager=Pager(routing_key=KEYS.pagerduty_routing_key, base_url=url),
        )
        yield Audience(OpenIncident(id=incident.id, environment=environment), slack, page, pager)


def failed(subject: str) -> Escalation:
    """A call about an action that failed."""
    return Escalation(kind=EscalationKind.ACTION, subject=subject)


FAILED = failed("1-enable-fallback")
