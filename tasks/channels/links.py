"""Where people find an incident in the Prefect UI."""

from runbook.incidents.events import RunStarted
from runbook.incidents.incident import Incident


def incident_link(incident: Incident) -> str:
    """The page of the flow run that works on the incident, empty before there is one."""
    started = incident.last(RunStarted)
    return started.url if started else ""
