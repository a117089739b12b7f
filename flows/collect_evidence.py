"""Collect evidence after an incident: on a schedule, or by hand for one incident."""

from prefect import flow

from blocks.environment import Environment
from flows.parameters import checked
from runbook.evidence.manifest import due_collections
from tasks.evidence.shown import collect_evidence as collect
from tasks.incident import OpenIncident, incident_where_it_belongs, now
from tasks.incidents import incidents_to_collect_from


@flow(name="collect-evidence", flow_run_name="housekeeping: collect evidence", validate_parameters=False)
@checked
async def collect_evidence(incident: str | None = None, environment: str = "default") -> list[str]:
    """Collect what is due: at the resolution, an hour and a day after it. Returns the folders written.

    Args:
        incident: Id of one incident, collected now; empty for all that are due.
        environment: Which configuration to use: the name that `runbook configure` saved it under. An incident
            may belong to another one on the same store.
    """
    if incident is not None:
        one = await incident_where_it_belongs(incident, environment)
        return [await collect(one, f"by-hand-{now():%Y%m%d-%H%M%S}")]
    return await collect_everything_due(await Environment.load(environment))


async def collect_everything_due(environment: Environment) -> list[str]:
    """Collect all that is due now; what fails for one incident costs no other its evidence.

    Raises:
        ExceptionGroup: something could not be collected; all else was.
    """
    policy, folders, failed = environment.runbook_policy.policy, [], []
    for known in await incidents_to_collect_from(environment):
        for collection in due_collections(known, policy=policy, now=now()):
            try:
                folders.append(await collect(OpenIncident(id=known.id, environment=environment), collection))
            except Exception as error:
                failed.append(error)
    if failed:
        raise ExceptionGroup("not all evidence that is due could be collected", failed)
    return folders
