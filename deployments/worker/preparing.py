"""The worker's side of getting a process ready for a run, see `deployments.worker.prepared`."""

import asyncio
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from blocks.environment import read_documents
from deployments.worker.prepared import Preparation
from deployments.worker.warm_run import LENGTH
from runbook.incidents.ids import INCIDENT_ID

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

log = logging.getLogger("runbook.worker")

RESPOND = "flows.respond.respond"
"""The entrypoint of the flow that people wait for."""

READ_SECONDS = 1.0
"""How long the blocks of a run are waited for: they take a twentieth of that, and the run does not wait."""

_NAME = re.compile(r"[ -~]{1,255}")
"""Names of environments: in a request, other signs would end the name and be what somebody else is to say."""


def preparation_for(flow_run: "FlowRun") -> Preparation | None:
    """What to get ready for; `None` for a run that says too little."""
    environment = flow_run.parameters.get("environment", "default")
    if not (isinstance(environment, str) and _NAME.fullmatch(environment)):
        return None
    named = flow_run.parameters.get("incident")
    incident = named if isinstance(named, str) and INCIDENT_ID.fullmatch(named) else ""
    begins = flow_run.run_count == 0 and bool(incident)
    return Preparation(flow_run.id, environment, checks=begins, incident=incident)


class Prepared:
    """A process that gets ready. It ends when this is closed, unless the run has been handed to it."""

    def __init__(self, connection: asyncio.StreamWriter | None = None) -> None:
        self._connection = connection

    def close(self) -> None:
        """It is not needed any more."""
        if self._connection is not None:
            self._connection.close()


async def get_ready(flow_run: "FlowRun", zygote: str, client: "PrefectClient") -> Prepared:
    """Have a process get ready for a run of the flow `RESPOND`.

    Its environment is read here: the worker's connection to Prefect is open already. Whatever becomes of
    that, the run starts; so it does where there is no zygote, or the run says too little.
    """
    preparation = preparation_for(flow_run)
    if preparation is None or not zygote:
        return Prepared()
    try:
        async with asyncio.timeout(READ_SECONDS):
            read = await read_documents(preparation.environment, client)
        preparation = replace(preparation, documents=read.model_dump_json())
    except Exception as error:  # the run reads them itself, meets the same, and tells a person
        log.info("The blocks of run %s were not read ahead: %s", preparation.run, type(error).__name__)
    return await prepare(preparation, zygote)


async def prepare(preparation: Preparation, zygote: str) -> Prepared:
    """Have a process get ready."""
    pairs = (f"{name}={value}" for name, value in preparation.as_environment().items())
    request = "\0".join(["", *pairs]).encode()
    try:
        _, connection = await asyncio.open_unix_connection(zygote)
    except OSError:
        return Prepared()
    connection.write(LENGTH.pack(len(request)) + request)
    return Prepared(connection)
