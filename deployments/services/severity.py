"""Setting an incident's severity, by somebody whom the receiver or a key may have proven."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployments.services.refusals import checked
from deployments.services.speaker import Speaker
from runbook.decision.severity import Severity
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tasks.acts import SeveritySet, record_severity

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore


async def set_severity(
    store: "IncidentStore",
    incident: Incident,
    severity: Severity,
    *,
    reason: str,
    speaker: Speaker,
    policy: Policy,
    key: str | None = None,
) -> SeveritySet:
    """Journal a person's word on the severity; `key` is that of a request which may come twice.

    Raises:
        ActRefused: the incident is closed, something is missing, or this person may not.
        Unavailable: the store cannot be reached.
    """
    at = datetime.now(UTC)
    with checked(incident.id):
        return await record_severity(
            store,
            incident,
            severity,
            reason=reason,
            by=speaker.name,
            identify=lambda statement: speaker.signed(statement, at=at),
            policy=policy,
            at=at,
            key=key,
        )
