"""Check again while a person is waited for: other facts, once they hold, lead to another decision."""

from runbook.approvals.rejections import as_disputed, dispute_of, question_comes_back
from runbook.checks.again import decides_anew, differences, look_is_due, plan_of
from runbook.decision.decide import decide
from runbook.decision.verdict import Decision
from runbook.incidents.events import ApprovalWithdrawn, FactsChanged, FactsChecked
from runbook.incidents.incident import Incident
from tasks.checks.triage import checks_of, make_checks
from tasks.incident import OpenIncident, now


async def look_again(incident: OpenIncident, decision: Decision) -> bool:
    """Make the checks again if that is due; whether the runbook has to decide anew.

    Then a question that is open is withdrawn first: it asks for what may no longer fit.
    """
    journal = await incident.read()
    if await ask_again(incident):
        return True
    if not look_is_due(journal, policy=incident.policy, now=now()):
        return False
    environment = incident.environment
    findings = await make_checks(environment, checks_of(environment))
    policy = incident.policy_in_force(journal)
    found = as_disputed(decide(findings, claimed=journal.alert.severity, policy=policy), journal)
    changes = differences(decision, found)
    looked = FactsChecked(round=journal.round, verdict=found.verdict, plan=plan_of(found), changes=changes)
    await incident.record(looked)
    journal = await incident.read()
    because = decides_anew(journal, policy=incident.policy, now=now())
    if not because:
        return False
    await _withdraw(incident, journal, because)
    await incident.record_once(FactsChanged(round=journal.round + 1, because=because))
    return True


async def ask_again(incident: OpenIncident) -> bool:
    """Whether a question comes back that was rejected for now: the runbook then decides anew."""
    again = question_comes_back(await incident.read(), now())
    if again is not None:
        await incident.record_once(again)
    return again is not None


async def note_dispute(incident: OpenIncident, action_id: str) -> bool:
    """Whether the person who has rejected the action says that the verdict is wrong: that is journalled."""
    dispute = dispute_of(await incident.read(), action_id)
    if dispute is not None:
        await incident.record_once(dispute)
    return dispute is not None


async def _withdraw(incident: OpenIncident, journal: Incident, because: tuple[str, ...]) -> None:
    gate = journal.pending_gate
    if gate is not None:
        why = "; ".join(because)
        event = ApprovalWithdrawn(gate=gate.gate, action_id=gate.action_id, because=why)
        await incident.record_once(event)
