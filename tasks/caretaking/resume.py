"""Hand the response back to the runbook after people went on by hand: what they did is journalled first."""

from collections.abc import Collection
from datetime import datetime

from blocks.store.journal import IncidentStore
from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.approvals.identity import Identity
from runbook.incidents.events import ActionFinished, ApprovalWithdrawn, ResponseResumed
from runbook.incidents.incident import Incident

BY_HAND = "done by hand"


def left_to_do(incident: Incident) -> tuple[PlannedAction, ...]:
    """The actions of the plan that have not ended, in order: what a person may have done instead."""
    plan = incident.decision.plan if incident.decision else ()
    return tuple(incident.as_edited(action) for action in plan if action.id not in incident.results)


async def hand_back(
    store: IncidentStore,
    incident: Incident,
    *,
    by: str,
    identity: Identity,
    done: str,
    actions: Collection[str],
    at: datetime,
) -> Incident:
    """Journal that a person hands the response back, and which actions they have done; the run skips these.

    Args:
        store: Where the incident is kept.
        incident: The incident, as read before.
        by: Who hands it back.
        identity: How that is known.
        done: What was done by hand, in their words.
        actions: Ids of the actions among it.
        at: Now, aware UTC.

    Raises:
        Unavailable: the store cannot be reached.
    """
    await store.append(incident.id, ResponseResumed(by=by, done=done, identity=identity), at=at)
    for action in left_to_do(incident):
        if action.id in actions:
            result = ActionResult(
                action=action, outcome=ActionOutcome.BY_HAND, detail=f"{BY_HAND} by {by}", approved_by=by
            )
            finished = ActionFinished(result=result)
            await store.append(incident.id, finished, at=at, key=finished.journal_key)
    gate = incident.pending_gate
    if gate is not None and gate.action_id in actions:
        withdrawn = ApprovalWithdrawn(gate=gate.gate, action_id=gate.action_id, because=BY_HAND)
        await store.append(incident.id, withdrawn, at=at, key=withdrawn.journal_key)
    return await store.read(incident.id)
