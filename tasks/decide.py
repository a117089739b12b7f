"""Decide: the findings become an explained decision."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from runbook.decide import decide
from runbook.events import DecisionMade
from runbook.findings import Findings
from runbook.verdict import Decision
from tasks.incident import OpenIncident


@task(name="decide", task_run_name="decide", cache_policy=NO_CACHE)
async def decide_response(incident: OpenIncident, findings: Findings, *, round: int = 1) -> Decision:
    """Walk the decision tree and journal the decision; one that is in the journal stands."""
    journal = await incident.read()
    decision = decide(findings, claimed=journal.alert.severity, policy=incident.policy)
    recorded = await incident.record(
        DecisionMade(round=round, decision=decision), key=f"decision-made:{round}"
    )
    return recorded.event.decision if isinstance(recorded.event, DecisionMade) else decision
