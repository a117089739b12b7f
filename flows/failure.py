"""When the runbook itself fails: the incident goes on, so a person must take over."""

from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.logging import get_logger

from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.store.overview import incident_of_run
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import RunContinued
from tasks.channels.page import escalate
from tasks.incident import OpenIncident

log = own_lines(get_logger("runbook"))


async def tell_a_person(flow: Any, flow_run: FlowRun, state: State) -> None:  # noqa: ARG001  # Prefect's names
    """Prefect's hook for a failed or cancelled run: escalate the incident that the run worked on.

    The first failure is left to the watchdog, as a crash is: a worker that is told to stop fails its runs.
    The state's message may quote anything, so people are pointed to the run's logs instead.
    """
    environment = await Environment.load(str(flow_run.parameters.get("environment", "default")))
    incident_id = await incident_of_run(environment.store, str(flow_run.id))
    if incident_id is None:
        log.warning("Run %s ended as %s before it had an incident", flow_run.id, state.name)
        return
    known = await environment.store.read(incident_id)
    if known.environment != environment.name:  # the run's parameters were edited meanwhile
        environment = await Environment.load(known.environment)
    incident = OpenIncident(id=incident_id, environment=environment)
    if known.closed or (state.is_failed() and not known.events(RunContinued)):
        return
    if state.is_cancelled() and known.ended_by:  # what is left to do after the end, the watchdog has done
        return
    what = Escalation(kind=EscalationKind.RUN_ENDED, subject=state.type.value)
    await escalate(incident, what, f"the runbook's own run ended as {state.type.value}; go on by hand")
