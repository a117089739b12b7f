"""A process that gets ready for a run while Prefect still records that the run starts.

It has the flows already, as a fork of the zygote. It loads the run's environment from what the worker has
read and, for a response that begins, makes the checks of Quick Triage; for one that goes on, it looks at what
would be changed. All of that only reads. When the worker starts the run, this process
becomes its engine: what `python -m prefect.engine` does, in the event loop in which the checks are under way.
It ends where the worker does not start the run after all.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from deployments.worker.warm_run import LENGTH, RUN

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

CHECKS = "RUNBOOK_PREPARE_CHECKS"
ENVIRONMENT = "RUNBOOK_PREPARE_ENVIRONMENT"
INCIDENT = "RUNBOOK_PREPARE_INCIDENT"
DOCUMENTS = "RUNBOOK_PREPARE_DOCUMENTS"


@dataclass(frozen=True)
class Preparation:
    """What to get ready for. `checks` is whether the run begins with a triage of its incident.

    `documents` are those of the environment, as JSON, where the worker has read them.
    """

    run: UUID
    environment: str
    checks: bool
    incident: str = ""
    documents: str = field(default="", repr=False)

    def as_environment(self) -> dict[str, str]:
        """As the request to the zygote has it."""
        said = {ENVIRONMENT: self.environment, INCIDENT: self.incident, DOCUMENTS: self.documents}
        return {RUN: str(self.run), **said} | ({CHECKS: "1"} if self.checks else {})

    @classmethod
    def of(cls, environment: dict[str, str]) -> "Preparation":
        """Read back from the request.

        Raises:
            ValueError: it is no such request.
        """
        return cls(
            UUID(environment.get(RUN, "")),
            environment.get(ENVIRONMENT, ""),
            CHECKS in environment,
            environment.get(INCIDENT, ""),
            environment.get(DOCUMENTS, ""),
        )


def get_ready(preparation: Preparation, channel: socket.socket) -> None:
    """Get ready, then be the engine of the run whose request comes through `channel`.

    Raises:
        SystemExit: always; with the engine's code, or 0 where no request has come.
    """
    from prefect.engine import handle_engine_signals

    with handle_engine_signals(preparation.run):
        asyncio.run(_get_ready(preparation, channel))
    raise SystemExit(0)


async def _get_ready(preparation: Preparation, channel: socket.socket) -> None:
    from prefect.context import refresh_global_settings_context
    from prefect.flow_engine import load_flow_run

    ahead = asyncio.create_task(_ahead(preparation))
    loading = asyncio.create_task(asyncio.to_thread(load_flow_run, preparation.run))
    channel.setblocking(False)
    request = await _request(channel)
    if request is None:
        raise SystemExit(0)
    folder, environment = request
    settings_as_before = settings_of_runs(environment) == settings_of_runs(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if not settings_as_before:
        refresh_global_settings_context()
    try:
        await _run(preparation.run, loading)
    finally:
        ahead.cancel()


def settings_of_runs(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables among these that are settings of Prefect which a run reads.

    What begins with two underlines tells of the run; servers and workers have settings of their own.
    """
    others = ("PREFECT__", "PREFECT_SERVER_", "PREFECT_WORKER_")
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("PREFECT_") and not name.startswith(others)
    }


async def _ahead(preparation: Preparation) -> None:
    """What can be done before the run has started."""
    from blocks.environment import ReadDocuments, load_ahead
    from tasks.actions.preview import preview_ahead
    from tasks.checks.triage import begin_checks
    from tasks.incident import OpenIncident

    try:
        saved = preparation.documents
        read = ReadDocuments.model_validate_json(saved) if saved else None
        environment = await load_ahead(preparation.environment, read)
        if preparation.checks:
            begin_checks(environment)
            await environment.store.check()  # what opens the store, the run need not wait for
        elif preparation.incident:
            await preview_ahead(OpenIncident(preparation.incident, environment))
    except Exception as error:  # the run does it itself, meets the same, and tells a person
        print(f"Run {preparation.run} was not prepared: {type(error).__name__}", file=sys.stderr)


async def _run(run: UUID, loading: "asyncio.Task[FlowRun]") -> None:
    """Run the flow as Prefect's engine does. What it reads of the run is as it was a moment before."""
    from prefect._internal.control_listener import configure_from_env
    from prefect._internal.metrics import RunMetrics
    from prefect.flow_engine import load_flow, load_flow_run, run_flow
    from prefect.logging.loggers import flow_run_logger

    configure_from_env()
    await asyncio.wait({loading})
    if loading.exception() is not None:  # it is asked once more, and tells why itself
        loading = asyncio.create_task(asyncio.to_thread(load_flow_run, run))
    flow_run = await loading
    flow = load_flow(flow_run)
    with RunMetrics(flow_run, flow):
        logger: Any = flow_run_logger(flow_run)
        running: Any = run_flow(flow, flow_run=flow_run, error_logger=logger)
        await running


async def _request(channel: socket.socket) -> tuple[str, dict[str, str]] | None:
    """The request to run, in the form of `deployments.worker.warm_run`; `None` where the channel ends."""
    head = await _exactly(channel, LENGTH.size)
    body = head and await _exactly(channel, LENGTH.unpack(head)[0])
    return parsed(body) if body else None


async def _exactly(channel: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        chunk = await asyncio.get_running_loop().sock_recv(channel, length - len(received))
        if not chunk:
            return b""
        received += chunk
    return received


def parsed(request: bytes) -> tuple[str, dict[str, str]]:
    """The folder and the environment of a request.

    Raises:
        ValueError: it has another form.
    """
    folder, *pairs = request.decode(errors="surrogateescape").split("\0")
    return folder, dict(pair.split("=", 1) for pair in pairs)
