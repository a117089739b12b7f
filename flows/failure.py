"""When the runbook itself fails: the incident goes on, so a person must take over."""

from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.logging import get_logger

from blocks.environment import Environment
from runbook.events import RunContinued, RunStarted
from tasks.communicate import escalate
from tasks.incident import OpenIncident


async def tell_a_person(flow: Any, flow_run: FlowRun, state: State) -> None:  # noqa: ARG001  # Prefect's names
    """Prefect's hook for a failed or cancelled run: escalate the incident that the run worked on.

    The first failure is left to the watchdog, as a crash is: a worker that is told to stop fails its runs.
    The state's message may quote anything, so people are pointed to the run's logs instead.
    """
    environment = await Environment.load(str(flow_run.parameters.get("environment", "default")))
    for known in await environment.store.incidents(only_open=True):
        if any(event.flow_run_id == str(flow_run.id) for event in known.events(RunStarted)):
            if state.is_failed() and not known.events(RunContinued):
                return
            incident = OpenIncident(id=known.id, environment=environment)
            await escalate.fn(incident, f"the runbook's own run ended as {state.type.value}; go on by hand")
            return
    get_logger("runbook").warning("Run %s ended as %s before it had an incident", flow_run.id, state.name)
