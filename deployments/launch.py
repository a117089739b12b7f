"""Starts the flow run that responds to an incident."""

from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from blocks.errors import Refused
from blocks.store import IncidentStore
from deployments.prefect_api import prefect_client
from runbook.events import RunStarted
from runbook.incident import Incident

DEPLOYMENT = "respond/respond"


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
