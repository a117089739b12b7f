"""Collect evidence after an incident: on a schedule, or by hand for one incident."""

from prefect import flow

from blocks.environment import Environment
from runbook.evidence import due_collections
from tasks.evidence import collect_evidence as collect
from tasks.incident import OpenIncident, now


@flow(name="collect-evidence", flow_run_name="collect evidence")
async def collect_evidence(incident: str | None = None, environment: str = "default") -> list[str]:
    """Collect what is due: at the resolution, an hour and a day after it. Returns the folders written.

    Args:
        incident: Id of one incident, collected now; empty for all that are due.
        environment: Which configuration to use: the name that `runbook configure` saved it under.
    """
    blocks = await Environment.load(environment)
    if incident is not None:
        one = OpenIncident(id=incident, environment=blocks)
        return [await collect(one, f"by-hand-{now():%Y%m%d-%H%M%S}")]
    folders = []
    for known in await blocks.store.incidents():
        for collection in due_collections(known, policy=blocks.runbook_policy.policy, now=now()):
            folders.append(await collect(OpenIncident(id=known.id, environment=blocks), collection))
    return folders
