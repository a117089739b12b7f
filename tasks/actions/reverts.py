"""Tell people where somebody takes back what has cured an incident, while it is still watched."""

from blocks.transport.errors import OutsideError
from runbook.actions.catalogue import ChangePlan
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import ChangeReverted
from runbook.incidents.loose_ends import changes_in_force
from runbook.kubernetes.reversals import ADVICE, Reversal
from tasks.actions.standing import reversal
from tasks.channels.shown import escalate
from tasks.incident import OpenIncident


async def note_reverts(incident: OpenIncident) -> None:
    """Read again what the incident has set. A person is paged if it is what it was before.

    Somebody who has set something else, a fixed release say, is at work already: that is only journalled.
    What cannot be read is read again next time.
    """
    for plan in changes_in_force(await incident.read()):
        try:
            found = await reversal(incident.environment.cluster, plan)
        except OutsideError:
            continue
        if found is None:
            continue
        if found.put_back:
            what = Escalation(kind=EscalationKind.CHANGE_REVERTED, subject=plan.action.id)
            await escalate(incident, what, _page_text(plan, found), outlasts=True)
        event = ChangeReverted(action_id=plan.action.id, reversal=found)
        await incident.record_once(event)


def _page_text(plan: ChangePlan, found: Reversal) -> str:
    return f"{plan.action.spec.title}: {found}. {ADVICE}"
