"""Answering a gate: the answer goes into the journal first, then the suspended run is woken.

The journal is the truth. A run that was not woken, for whatever reason, finds the answer there when it is;
so asking for the same again only wakes it.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from deployments.services.refusals import ActRefused, Refusal, checked
from deployments.services.runs import Runs
from deployments.services.speaker import Speaker
from runbook.actions.catalogue import ChangePlan
from runbook.approvals.approvals import acceptable, as_stored
from runbook.approvals.authority import answer_statement
from runbook.approvals.gates import Answer
from runbook.approvals.identity import Identity
from runbook.approvals.signatures import Statement
from runbook.channels.wording import ANSWERED
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested
from runbook.incidents.incident import Incident, PendingGate
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore


class Answered(Value):
    """What became of an answer: the one that stands, and whether it is ours."""

    incident: str
    gate: str
    action: str
    answer: Answer
    at: datetime
    ours: bool
    dry_run: bool = False


async def answer_gate(
    store: "IncidentStore",
    incident: Incident,
    answer: Answer,
    *,
    policy: Policy,
    runs: Runs,
    speaker: Speaker | None = None,
    plan: str = "",
) -> Answered:
    """Answer the open gate of an incident and wake its run.

    Where someone answered first, theirs stands and nothing is written.

    Args:
        store: Where the incident is kept.
        incident: The incident, as read before.
        answer: The answer.
        policy: The rules, as they are now.
        runs: The runs that wait at gates.
        speaker: Whose answer it is; else the approver and the identity are those of the answer.
        plan: The beginning of the hash of the plan that they have seen; empty where they did not say.

    Raises:
        ActRefused: no gate is open, the answer cannot be accepted, or the run cannot be woken.
        Unavailable: the store or Prefect cannot be reached.
    """
    gate, policy = incident.pending_gate, policy_in_force(incident, policy)
    if gate is None:
        return await _wake_again(incident, runs=runs)
    if not gate.plan_digest.startswith(plan):
        raise _nothing(incident, f"another plan is asked about by now: {gate.plan_digest[:12]}")
    accepted = _checked(answer, incident, gate, policy, speaker)
    await runs.asleep(UUID(gate.flow_run_id))  # an answer that cannot wake its run is not taken
    given = _event(gate, accepted)
    recorded = await store.append(incident.id, given, at=datetime.now(UTC), key=given.journal_key)
    standing = recorded.event
    if not isinstance(standing, ApprovalAnswered):
        raise TypeError(f"{gate.gate} is answered with {standing.type}")
    await runs.wake(UUID(gate.flow_run_id), form(gate, standing.answer))
    return Answered(
        incident=incident.id,
        gate=gate.gate,
        action=gate.action_id,
        answer=standing.answer,
        at=recorded.at,
        ours=standing.answer == accepted,
        dry_run=incident.dry_run,
    )


def _checked(
    answer: Answer, incident: Incident, gate: PendingGate, policy: Policy, speaker: Speaker | None
) -> Answer:
    """The answer as it will be stored, with its signature where the speaker signs."""
    plan = incident.previews.get(gate.action_id)
    if plan is None or not plan.known_as(gate.plan_digest):
        raise _nothing(incident, "the plan that is asked about is being made anew")
    with checked(incident.id):
        if speaker is not None:
            answer = _spoken(answer, incident, gate, plan, policy, speaker)
        return acceptable(answer, incident, plan, policy)


def _spoken(
    answer: Answer,
    incident: Incident,
    gate: PendingGate,
    plan: ChangePlan,
    policy: Policy,
    speaker: Speaker,
) -> Answer:
    """The answer as the speaker's."""
    stored = as_stored(answer.model_copy(update={"approver": speaker.name}), plan, policy)

    def statement(identity: Identity) -> Statement:
        mine = stored.model_copy(update={"identity": identity})
        return answer_statement(incident.id, _event(gate, mine))

    identity = speaker.signed(statement, at=datetime.now(UTC))
    return stored.model_copy(update={"identity": identity, "identity_proven": False})


def _event(gate: PendingGate, answer: Answer) -> ApprovalAnswered:
    return ApprovalAnswered(
        gate=gate.gate, action_id=gate.action_id, plan_digest=gate.plan_digest, answer=answer
    )


def form(asked: PendingGate | ApprovalRequested, answer: Answer) -> dict[str, str]:
    """The answer as the fields of the gate's form in Prefect; one of an earlier release takes no plan."""
    return {
        "gate": asked.gate,
        **({"plan": asked.plan_digest} if asked.bound else {}),
        "decision": answer.choice.value,
        "approver": answer.approver,
        "reason": answer.reason,
        **answer.parameters,
    }


async def _wake_again(incident: Incident, *, runs: Runs) -> Answered:
    """An answer may stand while its run sleeps on: the one who gave it was interrupted before the waking."""
    newest = incident.last(ApprovalRequested)
    recorded = next(
        (
            item
            for item in reversed(incident.journal)
            if newest and isinstance(item.event, ApprovalAnswered) and item.event.gate == newest.gate
        ),
        None,
    )
    if newest is None or recorded is None or not isinstance(recorded.event, ApprovalAnswered):
        raise _nothing(incident, f"{incident.id} asks nothing now")
    answer = recorded.event.answer
    run = UUID(newest.flow_run_id)
    if incident.resolved or not await runs.asleep(run):
        said = f"{answer.approver} {ANSWERED[answer.choice]} {newest.action_id} at {recorded.at:%H:%M:%S} UTC"
        raise _nothing(incident, f"{incident.id} asks nothing now: {said}")
    await runs.wake(run, form(newest, answer))
    return Answered(
        incident=incident.id,
        gate=newest.gate,
        action=newest.action_id,
        answer=answer,
        at=recorded.at,
        ours=False,
        dry_run=incident.dry_run,
    )


def _nothing(incident: Incident, why: str) -> ActRefused:
    return ActRefused(Refusal.NOTHING, why, f"see `runbook incident {incident.id}`")
