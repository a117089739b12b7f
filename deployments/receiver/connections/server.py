"""uvicorn's server behind the receiver's door."""

import socket
import sys
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from deployments.receiver.connections.door import Door
from deployments.receiver.metrics import ReceiverMetrics


class DoorServer(uvicorn.Server):
    """uvicorn's server behind a door."""

    def __init__(
        self, config: uvicorn.Config, *, places: int, most_body_bytes: int, metrics: ReceiverMetrics
    ) -> None:
        super().__init__(config)
        self._places = places
        self._most_body_bytes = most_body_bytes
        self._metrics = metrics

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then let in who comes to these sockets."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        door = Door(self, self._places, self._most_body_bytes, self._metrics)
        door.open(sockets or [])
        self.servers: list[Any] = [door]
        self.started = True
