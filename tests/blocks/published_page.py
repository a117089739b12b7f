"""Our own status page at an imitated provider, and a block that publishes on it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from blocks.channels.status_page_publisher import StatusPagePublisher
from deployments.drill.world.channels.incident_io import COMPONENT_IDS, STATUS_PAGE_ID, IncidentIoApi
from deployments.drill.world.channels.statuspage import COMPONENTS, PAGE_ID, StatuspageApi
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(13))  # noqa: S311 - repeatable on purpose
NAME, MESSAGE = "PostHog Integration Issue", "We're experiencing issues."


@dataclass
class Published:
    """A provider's page as the test sees it, and a block for it."""

    block: StatusPagePublisher
    provider: StatuspageApi | IncidentIoApi

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """What was published."""
        if isinstance(self.provider, StatuspageApi):
            return self.provider.incidents
        return self.provider.status_page_incidents

    @property
    def updates(self) -> list[tuple[str, str]]:
        """States and words of the first incident's updates, oldest first."""
        if isinstance(self.provider, StatuspageApi):
            newest_first = self.incidents[0]["incident_updates"]
            return [(update["status"], update["body"]) for update in reversed(newest_first)]
        return [(update["incident_status"], update["message"]) for update in self.incidents[0]["updates"]]


@asynccontextmanager
async def published(provider: str) -> AsyncIterator[Published]:
    """An imitated provider with our page, and a block that publishes on it."""
    imitation = StatuspageApi(KEYS) if provider == "statuspage" else IncidentIoApi(KEYS)
    async with listening(imitation.app) as url:
        if isinstance(imitation, StatuspageApi):
            block = StatusPagePublisher(
                provider="statuspage",
                api_key=KEYS.statuspage_key,
                page_id=PAGE_ID,
                base_url=f"{url}/v1",
                component_ids=list(COMPONENTS)[:1],
            )
        else:
            block = StatusPagePublisher(
                provider="incident_io",
                api_key=KEYS.incident_io_key,
                page_id=STATUS_PAGE_ID,
                base_url=url,
                component_ids=list(COMPONENT_IDS),
            )
        yield Published(block, imitation)


@pytest.fixture(params=["statuspage", "incident_io"])
async def page(request: pytest.FixtureRequest) -> AsyncIterator[Published]:
    """Our page at each of the providers."""
    async with published(request.param) as at_provider:
        yield at_provider
