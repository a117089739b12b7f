"""Answering a gate: the answer goes into the journal first, then the suspended run is woken.

The journal is the truth. A run that was not woken, for whatever reason, finds the answer there when it is;
so asking for the same again only wakes it.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from deployments.services.refusals import ActRefused, Asked, Refusal, checked
from deployments.services.runs import Runs
from deployments.services.speaker import Speaker
from runbook.actions.catalogue import ChangePlan
from runbook.approvals.approvals import acceptable, as_stored, decided
from runbook.approvals.authority import answer_statement
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.approvals.identity import Identity
from runbook.approvals.signatures import Statement
from runbook.channels.wording import ANSWERED
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested, ApprovalWithdrawn
from runbook.incidents.incident import Incident
from runbook.incidents.report import DIGEST_LETTERS
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore


SHORTEST_PLAN = 8
"""How much of a plan's digest has to be named: enough that no other plan begins the same by chance."""


ASKING_SECONDS = 10.0
"""How long a run that was answered a moment ago may take to ask again: it starts from the top."""

ASKING_POLL_SECONDS = 0.25


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
    plan: str | None = None,
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
        plan: The beginning of the digest of the plan that they have seen, empty where they did not say: then
            nothing is approved. `None` where they were shown the question of the incident that is given here.

    Raises:
        ActRefused: no gate is open, the answer cannot be accepted, or the run cannot be woken.
        Unavailable: the store or Prefect cannot be reached.
    """
    policy = policy_in_force(incident, policy)
    if incident.pending_gate is None:
        if woken := await _wake_again(incident, runs=runs):
            return woken
        incident = await _asked_again(store, incident, policy)
    gate = incident.pending_gate
    if gate is None:
        raise _nothing(incident, _why_nothing(incident))
    accepted = checked_answer(answer, incident, gate, policy, speaker)
    if plan is not None:
        _require_seen(plan.strip().lower(), answer.choice, incident, gate)
    await runs.asleep(UUID(gate.flow_run_id))  # an answer that cannot wake its run is not taken
    given = answered_event(gate, accepted)
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


def checked_answer(
    answer: Answer, incident: Incident, gate: PendingGate, policy: Policy, speaker: Speaker | None
) -> Answer:
    """The answer as it will be stored, with its signature where the speaker signs.

    Raises:
        ActRefused: it cannot be accepted, or the plan in question is being prepared again.
    """
    plan = incident.previews.get(gate.action_id)
    if plan is None or not plan.known_as(gate.plan_digest):
        raise _nothing(incident, "the plan in question is being prepared again")
    with checked(incident.id):
        if speaker is not None:
            answer = _spoken(answer, incident, gate, plan, policy, speaker)
        return acceptable(answer, incident, plan, policy)


def _require_seen(plan: str, choice: Choice, incident: Incident, gate: PendingGate) -> None:
    """Make sure that a yes is to the plan that is asked about: between looking and answering it may change.

    Whoever says no, or not yet, may leave the plan out: that changes nothing. This comes after the rules, so
    that nobody is shown a plan who may not approve it.

    Raises:
        ActRefused: another plan was seen, or an approval does not say which.
    """
    if not plan and choice is not Choice.APPROVE:
        return
    if 0 < len(plan) < SHORTEST_PLAN:
        problem = f"{plan!a} is too short to identify a plan"
        raise ActRefused(Refusal.INVALID, problem, f"give at least {SHORTEST_PLAN} characters of its digest")
    if plan and gate.plan_digest.startswith(plan):
        return
    asked = Asked.by(incident, gate, incident.previews[gate.action_id])
    present = gate.plan_digest[:DIGEST_LETTERS]
    if plan:
        problem = f"the question is now about another plan: {present}"
        next_step = f"see `runbook incident {incident.id}`"
        raise ActRefused(Refusal.NOTHING, problem, next_step, asked=asked)
    raise ActRefused(
        Refusal.UNSEEN,
        "an approval must name the plan that you have seen",
        f"read it, then add --plan {present}",
        asked=asked,
    )


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
        return answer_statement(incident.id, answered_event(gate, mine))

    identity = speaker.signed(statement, at=datetime.now(UTC))
    return stored.model_copy(update={"identity": identity, "identity_proven": False})


def answered_event(gate: PendingGate, answer: Answer) -> ApprovalAnswered:
    """The answer as the journal takes it."""
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
        **({"instead": answer.instead.value} if answer.instead else {}),
        **answer.parameters,
    }


async def _wake_again(incident: Incident, *, runs: Runs) -> Answered | None:
    """An answer may stand while its run sleeps on: the one who gave it was interrupted before the waking."""
    newest, recorded = incident.last(ApprovalRequested), _newest_answer(incident)
    if newest is None or recorded is None or incident.resolved:
        return None
    run = UUID(newest.flow_run_id)
    if not await runs.asleep(run):
        return None
    answer = recorded.event.answer
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


async def _asked_again(store: "IncidentStore", incident: Incident, policy: Policy) -> Incident:
    """The incident once it asks again, where the run has just been answered with what decides nothing."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + ASKING_SECONDS
    while incident.pending_gate is None and _asks_again(incident, policy) and clock() < deadline:
        await asyncio.sleep(ASKING_POLL_SECONDS)
        incident = await store.read(incident.id)
    return incident


def _asks_again(incident: Incident, policy: Policy) -> bool:
    """Whether the run has to come back with a question about the same action: after a snooze, say."""
    newest = incident.last(ApprovalRequested)
    if newest is None or incident.resolved or newest.action_id in incident.results:
        return False
    if newest.gate in (event.gate for event in incident.events(ApprovalWithdrawn)):
        return False
    plan = incident.previews.get(newest.action_id)
    return plan is not None and decided(incident, plan, policy) is None


def _why_nothing(incident: Incident) -> str:
    if incident.closed:
        return f"{incident.id} is closed"
    recorded, newest = _newest_answer(incident), incident.last(ApprovalRequested)
    if newest is None or recorded is None:
        return f"{incident.id} has no open question"
    answer = recorded.event.answer
    said = f"{answer.approver} {ANSWERED[answer.choice]} {newest.action_id} at {recorded.at:%H:%M:%S} UTC"
    return f"{incident.id} has no open question: {said}"


class _Given(Value):
    """An answer in the journal, and when it was written."""

    event: ApprovalAnswered
    at: datetime


def _newest_answer(incident: Incident) -> _Given | None:
    """The answer to the question that was asked last."""
    newest = incident.last(ApprovalRequested)
    for item in reversed(incident.journal):
        if newest and isinstance(item.event, ApprovalAnswered) and item.event.gate == newest.gate:
            return _Given(event=item.event, at=item.at)
    return None


def _nothing(incident: Incident, why: str) -> ActRefused:
    return ActRefused(Refusal.NOTHING, why, f"see `runbook incident {incident.id}`")
