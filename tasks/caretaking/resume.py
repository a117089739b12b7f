"""Hand the response back to the runbook after people went on by hand: what they did is journalled first."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from blocks.store.journal import IncidentStore
from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.approvals.acts import ActOnClosed
from runbook.approvals.authority import require_may_act, resumption_statement
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.approvals.names import tidy
from runbook.approvals.signatures import Statement
from runbook.incidents.events import ActionFinished, ApprovalWithdrawn, ResponseResumed
from runbook.incidents.incident import Incident
from runbook.outside_text import let_in_name
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from tasks.acts import Identify
from tasks.lease import duty

BY_HAND = "done by hand"


def left_to_do(incident: Incident) -> tuple[PlannedAction, ...]:
    """The actions of the plan that have not ended, in order: what a person may have done instead."""
    plan = incident.decision.plan if incident.decision else ()
    return tuple(incident.as_edited(action) for action in plan if action.id not in incident.results)


class StillActive(InvalidAnswer):
    """An incident that a run works on cannot be handed back."""


async def require_stopped(store: IncidentStore, found: Incident) -> None:
    """Do nothing if nobody works on the incident.

    Raises:
        ActOnClosed: it is closed.
        StillActive: its run shows signs of life.
        Unavailable: the store cannot be reached.
    """
    if found.closed:
        raise ActOnClosed(f"{found.id} is closed")
    held = await store.lease_end(duty(found.id))
    if held is not None and not held.let_go and held.at > datetime.now(UTC):
        raise StillActive(f"{found.id} is being worked on: its run is active")


async def record_resumption(
    store: IncidentStore,
    incident: Incident,
    *,
    done: str,
    did: Sequence[str],
    by: str,
    identify: Identify,
    policy: Policy,
    at: datetime,
) -> Incident:
    """Journal that a person hands the response back, and what they have done; returns the incident after it.

    Raises:
        ActOnClosed: the incident is closed.
        StillActive: its run shows signs of life.
        InvalidAnswer: an action is none of its open ones, or this person may not.
        Unavailable: the store cannot be reached.
    """
    await require_stopped(store, incident)
    known = [action.id for action in left_to_do(incident)]
    for name in did:
        if name not in known:
            raise InvalidAnswer(
                f"{incident.id} has no unfinished action {let_in_name(name)!r}; unfinished actions: "
                f"{', '.join(known) or 'none'}"
            )
    who, said = tidy(by), done.strip()

    def statement(identity: Identity) -> Statement:
        return resumption_statement(incident.id, ResponseResumed(by=who, done=said, identity=identity), did)

    identity = identify(statement)
    require_may_act(who, identity, statement(identity), policy_in_force(incident, policy))
    return await hand_back(store, incident, by=who, identity=identity, done=said, actions=did, at=at)


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
