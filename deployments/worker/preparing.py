"""The worker's side of getting a process ready for a run, see `deployments.worker.prepared`."""

import asyncio
import re
from typing import TYPE_CHECKING

from deployments.worker.prepared import Preparation
from deployments.worker.warm_run import LENGTH

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

RESPOND = "flows.respond.respond"
"""The entrypoint of the flow that people wait for."""

_NAME = re.compile(r"[ -~]{1,255}")
"""Names of environments: in a request, other signs would end the name and be what somebody else is to say."""


def preparation_for(flow_run: "FlowRun", entrypoint: str) -> Preparation | None:
    """What to get ready for; `None` for a run that nobody waits for, or that says too little."""
    environment = flow_run.parameters.get("environment", "default")
    if entrypoint != RESPOND or not (isinstance(environment, str) and _NAME.fullmatch(environment)):
        return None
    begins = flow_run.run_count == 0 and bool(flow_run.parameters.get("incident"))
    return Preparation(flow_run.id, environment, checks=begins)


class Prepared:
    """A process that gets ready. It ends when this is closed, unless the run has been handed to it."""

    def __init__(self, connection: asyncio.StreamWriter | None = None) -> None:
        self._connection = connection

    def close(self) -> None:
        """It is not needed any more."""
        if self._connection is not None:
            self._connection.close()


async def prepare(preparation: Preparation | None, zygote: str) -> Prepared:
    """Have a process get ready. Where there is no zygote, the run starts as it would without."""
    if preparation is None or not zygote:
        return Prepared()
    pairs = (f"{name}={value}" for name, value in preparation.as_environment().items())
    request = "\0".join(["", *pairs]).encode()
    try:
        _, connection = await asyncio.open_unix_connection(zygote)
    except OSError:
        return Prepared()
    connection.write(LENGTH.pack(len(request)) + request)
    return Prepared(connection)
