"""Decide: the findings become an explained decision."""

from runbook.approvals.rejections import as_disputed
from runbook.checks.findings import Findings
from runbook.decision.decide import decide, following
from runbook.decision.verdict import Decision
from runbook.incidents.events import DecisionMade
from runbook.policy.maintenance import maintenance_of
from tasks.incident import OpenIncident


async def decide_response(incident: OpenIncident, findings: Findings, *, round: int = 1) -> Decision:
    """Walk the decision tree and journal the decision; one of the round that is in the journal stands."""
    journal = await incident.read()
    policy = incident.policy_in_force(journal)
    decision = as_disputed(decide(findings, claimed=journal.alert.severity, policy=policy), journal)
    earlier = [event.decision for event in journal.events(DecisionMade) if event.round < round]
    if earlier:
        decision = following(decision, earlier)
    recorded = await incident.record_once(DecisionMade(round=round, decision=decision))
    return recorded.event.decision if isinstance(recorded.event, DecisionMade) else decision


async def note_maintenance(incident: OpenIncident, findings: Findings) -> None:
    """Journal the known maintenance that the incident began in, if any."""
    noted = maintenance_of(await incident.read(), findings, incident.policy)
    if noted is not None:
        await incident.record_once(noted)
