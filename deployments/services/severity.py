"""Setting an incident's severity: a person's word goes before the rules, and approves nothing by itself."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployments.services.refusals import ActRefused, Refusal, checked
from deployments.services.speaker import Speaker
from runbook.approvals.authority import require_may_act, severity_statement
from runbook.approvals.identity import Identity
from runbook.approvals.names import tidy
from runbook.approvals.signatures import Statement
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents.events import SeverityOverridden
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore


class SeveritySet(Value):
    """What became of it. `before` is `None` where nobody had assessed the incident."""

    incident: str
    before: Severity | None
    severity: Severity
    by: str
    reason: str
    identity: Identity


async def set_severity(
    store: "IncidentStore",
    incident: Incident,
    severity: Severity,
    *,
    reason: str,
    speaker: Speaker,
    policy: Policy,
) -> SeveritySet:
    """Journal a person's word on the severity.

    Raises:
        ActRefused: the incident is closed, or this person may not.
        Unavailable: the store cannot be reached.
    """
    who, why = tidy(speaker.name), reason.strip()
    if not who or not why:
        raise ActRefused(
            Refusal.INVALID, "the name and the reason cannot be empty", "say who decides and why"
        )
    if incident.closed:
        raise ActRefused(Refusal.NOTHING, f"{incident.id} is closed", "a new alert opens a new incident")
    assessment = SeverityAssessment(severity=severity, because=why, by=who)

    def statement(identity: Identity) -> Statement:
        return severity_statement(incident.id, SeverityOverridden(assessment=assessment, identity=identity))

    at = datetime.now(UTC)
    identity = speaker.signed(statement, at=at)
    with checked(incident.id):
        require_may_act(who, identity, statement(identity), policy_in_force(incident, policy))
    await store.append(incident.id, SeverityOverridden(assessment=assessment, identity=identity), at=at)
    before = incident.severity.severity if incident.severity else None
    return SeveritySet(
        incident=incident.id,
        before=before,
        severity=severity,
        by=who,
        reason=assessment.because,
        identity=identity,
    )
