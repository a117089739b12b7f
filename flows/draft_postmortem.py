"""Draft the post-mortem of an incident again, for instance after the severity was corrected."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.parameters import checked, refusing, run_name
from tasks.incident import incident_where_it_belongs
from tasks.shown import draft_postmortem as draft

IncidentId = Annotated[str, Field(min_length=1)]


@flow(
    name="draft-postmortem",
    flow_run_name=run_name("draft post-mortem of {incident}"),
    validate_parameters=False,
)
@refusing
@checked
async def draft_postmortem(incident: IncidentId, environment: str = "default") -> str:
    """Write a new draft beside the earlier ones and return its path.

    Args:
        incident: Id of the incident.
        environment: Where to look for the incident: any environment on the same store will do.
    """
    return await draft(await incident_where_it_belongs(incident, environment), again=True)
