"""People at this receiver: the paths of the API and of Slack, or the socket in their place."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI

from blocks.store.journal import IncidentStore
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.people.api import add_people_api
from deployments.receiver.people.requests import PeoplesDoor
from deployments.receiver.slack.api import add_slack_api
from deployments.receiver.slack.requests import SlackDoor
from deployments.receiver.slack.settings import SlackSettings
from deployments.receiver.slack.under_way import UnderWay
from deployments.settings.settings import Settings


class Chat:
    """What is added for people, and what runs for them. Without `settings` nobody can act."""

    def __init__(
        self, settings: Callable[[], Settings] | None, slack: SlackSettings, metrics: ReceiverMetrics
    ) -> None:
        self.acted = asyncio.Event()
        self._settings, self._slack, self._metrics = settings, slack, metrics
        self._under_way = UnderWay()
        self._socket: Any = None

    def add(self, app: FastAPI, store: IncidentStore) -> PeoplesDoor | None:
        """Add the paths, where the settings say who people are."""
        if self._settings is None:
            return None
        people = PeoplesDoor(store, self._settings, acted=self.acted)
        add_people_api(app, people)
        door = SlackDoor(people, self._under_way)
        add_slack_api(app, door, self._metrics)
        if self._slack.app_token is not None:  # its client is imported by who uses it alone
            from deployments.receiver.slack.socket_mode.slack_socket import SlackSocket

            self._socket = SlackSocket(door, self._metrics)
        return people

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as the receiver does."""
        return [self._socket.run()] if self._socket is not None else []

    def told(self) -> dict[str, str]:
        """How the socket stands; nothing where there is none."""
        return {"slack": self._socket.status} if self._socket is not None else {}

    async def drain(self) -> None:
        """Wait for what is under way."""
        await self._under_way.drain()
