"""Before the end: a rollout that this incident began and that is not complete is told to a person."""

import logging

from blocks.logs import own_lines
from blocks.transport.errors import OutsideError
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from tasks.channels.shown import escalate
from tasks.incident import OpenIncident

log = own_lines(logging.getLogger("runbook.rollout"))


async def tell_of_unfinished_rollout(incident: OpenIncident) -> None:
    """Page a person where the workload that was changed is left half rolled out, though all is well.

    A cluster that does not answer now is no reason to page: what is known of the change was told before.
    """
    if not _changed(await incident.read()):
        return
    cluster = incident.environment.cluster
    try:
        status = await cluster.workload.rollout_status()
    except OutsideError as error:
        log.warning("the rollout of %s could not be checked: %s", cluster.target, error)
        return
    if status.state != "complete":
        said = f"{status.reason} {status.detail}".strip()
        await escalate(
            incident,
            Escalation(kind=EscalationKind.UNFINISHED_ROLLOUT, subject=cluster.target),
            f"the incident ends, and the rollout of {cluster.target} is not complete: {said}",
            outlasts=True,
        )


def _changed(journal: Incident) -> bool:
    """Whether a request of this incident has changed the cluster."""
    return any(
        effect.is_change and effect.outcome is EffectOutcome.APPLIED for effect in journal.effects.values()
    )
