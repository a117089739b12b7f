"""Responses as the receiver needs them: started and woken in Prefect, or a person called without it."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from blocks.errors import OutsideError, Refused
from blocks.store import IncidentStore
from deployments.prefect_api import prefect_client
from deployments.settings import Settings, load_settings
from runbook.events import RunStarted
from runbook.incident import ALERTS_ENDED, Incident

DEPLOYMENT = "respond/respond"

PATIENCE_SECONDS = 5.0
"""How long Prefect may take to say that it is there."""


class PrefectResponses:
    """The responses in Prefect. `settings` say how a person is called while it is away."""

    def __init__(self, store: IncidentStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def start(self, incident: Incident) -> str:
        """Start the response, see `start_run`."""
        return await start_run(incident, store=self._store)

    async def wake(self, incident: Incident) -> bool:
        """Wake a run that waits for an answer although no alert fires any more: it withdraws its question.

        Raises:
            Refused: Prefect refused.
            Unavailable: Prefect cannot be reached.
        """
        gate = incident.needless_gate
        if gate is None:
            return False
        async with prefect_client() as client:
            run = await client.read_flow_run(UUID(gate.flow_run_id))
            if run.state is None or not run.state.is_paused():
                return False  # it is about to sleep, or awake: look again later
            form = {"gate": gate.gate, "decision": "snooze", "approver": "runbook", "reason": ALERTS_ENDED}
            resumed = await client.resume_flow_run(run.id, run_input=form)
        return resumed.status is SetStateStatus.ACCEPT

    async def call(self, incident: Incident, because: str) -> None:
        """Call a person by the pager and in the channel, as a run would.

        Raises:
            Refused: nobody can be called: there is neither a pager nor a channel, or both refuse.
            Unavailable: the incident store cannot be reached.
        """
        # Imported when they are needed: importing the clients of all systems would take most of a restart.
        from blocks.environment import Environment
        from deployments.configure import blocks
        from tasks.communicate import escalate
        from tasks.incident import OpenIncident
        from tasks.paper import leave_paper

        settings = await asyncio.to_thread(load_settings, self._settings.origin)
        by_name: dict[str, Any] = {**blocks(settings)}
        environment = Environment(name=settings.prefect.environment, **by_name)
        # The task's own function: Prefect, which the task would report to, is what does not answer.
        opened = OpenIncident(id=incident.id, environment=environment)
        path = await leave_paper.fn(opened)
        if not await escalate.fn(opened, f"{because}. To go on by hand: {path}"):
            raise Refused("pager", "nobody could be called", "Set [pager] or [slack]; see the journal")

    async def reachable(self) -> bool:
        """Whether Prefect answers in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), prefect_client() as client:
                return await client.api_healthcheck() is None
        except (OutsideError, TimeoutError):
            return False


async def start_run(incident: Incident, *, store: IncidentStore, client: PrefectClient | None = None) -> str:
    """Start the response to an incident and journal it; return the flow run's id.

    The incident's id is the idempotency key, so a repeat finds the run of the first time.

    Raises:
        Refused: Prefect refused, or does not know the deployment.
        Unavailable: Prefect or the incident store cannot be reached.
    """
    if client is None:
        async with prefect_client() as own:
            return await start_run(incident, store=store, client=own)
    try:
        deployment = await client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound:
        advice = "Run `runbook configure FILE`"
        raise Refused("Prefect", f"there is no deployment {DEPLOYMENT}", advice) from None
    alert = incident.alert
    run = await client.create_flow_run_from_deployment(
        deployment.id,
        name=incident.id,
        idempotency_key=incident.id,
        tags=[incident.id],
        parameters={
            "service": alert.service,
            "summary": alert.summary,
            "severity": alert.severity,
            "incident": incident.id,
            "environment": incident.environment,
        },
    )
    started = RunStarted(flow_run_id=str(run.id), url=url_for(run) or "")
    await store.append(incident.id, started, at=datetime.now(UTC), key=f"run:{run.id}")
    return str(run.id)
