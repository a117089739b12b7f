"""A team with a status page at each of the providers, and what people write on it."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from blocks.channels.status_page_publisher import StatusPagePublisher
from deployments.drill.world.channels.incident_io import COMPONENT_IDS, STATUS_PAGE_ID, IncidentIoApi
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.channels.statuspage import COMPONENTS, StatuspageApi
from deployments.drill.world.servers.wire import listening
from runbook.incidents import events as e
from runbook.incidents.state import State
from runbook.public.areas import ProductArea
from tasks.incident import OpenIncident
from tests.tasks.channels.audience import KEYS, Audience, audience

__all__ = ["audience", "public"]


@dataclasses.dataclass
class Public:
    """An incident that is announced to the team and on our page, and a person at the page."""

    incident: OpenIncident
    slack: Workspace
    page: StatuspageApi | IncidentIoApi

    @property
    def publisher(self) -> StatusPagePublisher:
        """The block of our page."""
        block = self.incident.environment.status_page_publisher
        assert block is not None
        return block

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The incidents on the page, oldest first."""
        if isinstance(self.page, StatuspageApi):
            return self.page.incidents
        return self.page.status_page_incidents

    @property
    def components(self) -> list[str]:
        """The components of our settings."""
        return list(self.publisher.components.values())

    @property
    def component_shown(self) -> str:
        """What the page shows of our component: at incident.io, in our incident."""
        if isinstance(self.page, StatuspageApi):
            return self.page.component_statuses[self.components[0]]
        return str(self.shown[0]["component_statuses"][0]["component_status"])

    def set_component(self, status: str) -> None:
        """A person sets it."""
        if isinstance(self.page, StatuspageApi):
            self.page.component_statuses[self.components[0]] = status
        else:
            self.shown[0]["component_statuses"][0]["component_status"] = status

    def updates(self, number: int = 0) -> list[tuple[str, str]]:
        """States and words of the updates of one of them, oldest first."""
        entry = self.shown[number]
        if isinstance(self.page, StatuspageApi):
            return [(it["status"], it["body"]) for it in reversed(entry["incident_updates"])]
        return [(it["incident_status"], it["message"]) for it in entry["updates"]]

    def under(self, **policy: Any) -> OpenIncident:
        """The incident under a policy with these fields."""
        environment = self.incident.environment
        changed = environment.runbook_policy.policy.model_copy(update=policy)
        block = environment.runbook_policy.model_copy(update={"policy": changed})
        return OpenIncident(
            id=self.incident.id, environment=dataclasses.replace(environment, runbook_policy=block)
        )

    async def by_hand(self, title: str) -> str:
        """A person publishes an incident on the page; returns its id."""
        made = await self.publisher.create_incident(
            title, "By hand.", State.INVESTIGATING, effect_id=f"by-hand-{len(self.shown)}"
        )
        if isinstance(self.page, StatuspageApi):
            self.shown[-1]["metadata"] = {}
        return made.id

    def threads(self, words: str) -> list[str]:
        """The messages in the incident's thread with these words."""
        return [m["text"] for m in self.slack.messages if words in m["text"] and m.get("thread_ts")]

    async def timeline(self, kind: type[e.JournalEvent]) -> list[Any]:
        """The events of this kind."""
        return list((await self.incident.read()).events(kind))


@asynccontextmanager
async def at(provider: str, audience: Audience) -> AsyncIterator[Public]:
    """The team with its page at this provider."""
    if provider == "statuspage":
        block = audience.incident.environment.status_page_publisher
        assert block is not None
        ours = block.model_copy(update={"components": {ProductArea.INGESTION: next(iter(COMPONENTS))}})
        environment = dataclasses.replace(audience.incident.environment, status_page_publisher=ours)
        opened = OpenIncident(id=audience.incident.id, environment=environment)
        yield Public(opened, audience.slack, audience.page)
        return
    page = IncidentIoApi(KEYS)
    async with listening(page.app) as url:
        publisher = StatusPagePublisher(
            provider="incident_io",
            api_key=KEYS.incident_io_key,
            page_id=STATUS_PAGE_ID,
            base_url=url,
            components={ProductArea.INGESTION: COMPONENT_IDS[0]},
        )
        environment = dataclasses.replace(audience.incident.environment, status_page_publisher=publisher)
        yield Public(OpenIncident(id=audience.incident.id, environment=environment), audience.slack, page)


@pytest.fixture(params=["statuspage", "incident_io"])
async def public(request: pytest.FixtureRequest, audience: Audience) -> AsyncIterator[Public]:
    """The team with its page at each of the providers."""
    async with at(request.param, audience) as made:
        yield made
