"""What a person does about an incident beside answering: lead it, acknowledge it, write a note."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployments.services.refusals import checked
from deployments.services.speaker import Speaker
from runbook.approvals.acts import Act
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tasks.acts import Acted, record_act

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore


async def act_on_incident(
    store: "IncidentStore", incident: Incident, act: Act, *, speaker: Speaker, policy: Policy
) -> Acted:
    """Journal an act of somebody whom the receiver or a key may have proven.

    Raises:
        ActRefused: the incident is closed and it is no note, the act is not complete, or this person may not.
        Unavailable: the store cannot be reached.
    """
    at = datetime.now(UTC)
    with checked(incident.id):
        return await record_act(
            store,
            incident,
            act,
            by=speaker.name,
            identify=lambda statement: speaker.signed(statement, at=at),
            policy=policy,
            at=at,
        )
