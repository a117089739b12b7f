"""Answering a question by a button in a chat: to that question alone, and journalled before its run is woken.

A click has to be answered within seconds, whatever Prefect does. So the journal comes first, also where the
run cannot be woken: the watchdog continues a run that sleeps at a gate which has been answered.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from deployments.services.answering import answered_event, checked_answer, form
from deployments.services.refusals import ActRefused, Refusal, checked
from deployments.services.runs import Runs
from deployments.services.speaker import Speaker
from runbook.actions.catalogue import ChangePlan
from runbook.approvals.authority import counting, require_may_refuse
from runbook.approvals.gates import Answer, Choice
from runbook.channels.buttons import PUBLIC_TEXT, Button
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.interactions.questions import (
    NotAsked,
    Standing,
    open_question,
    request_of,
    standing_answer,
    still_decides,
)
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.public.answers import proposal_named, why_not

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore

READ = "read the newest message of the incident"


class AlreadyAnswered(ActRefused):
    """Somebody has answered otherwise; `standing` is what they said."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(Refusal.NOTHING, f"it is answered: {standing.words}", "nothing was changed")
        self.standing = standing


def asked_by(incident: Incident, button: Button, policy: Policy) -> ChangePlan | None:
    """The plan of a button's question, where that is open; `None` for a public text that waits.

    Raises:
        ActRefused: it does not.
    """
    if button.kind in PUBLIC_TEXT:
        _require_text_waits(incident, button, policy)
        return None
    try:
        return open_question(incident, button)[1]
    except NotAsked as error:
        raise ActRefused(Refusal.NOTHING, str(error), READ) from None


def _require_text_waits(incident: Incident, button: Button, policy: Policy) -> None:
    found = proposal_named(incident, button.plan, counting(incident, policy))
    if because := why_not(found) if found else "there is no such text":
        raise ActRefused(Refusal.NOTHING, because, READ)


async def answer_question(
    store: "IncidentStore",
    incident: Incident,
    button: Button,
    choice: Choice,
    answer: Callable[[ChangePlan, Policy], Answer],
    *,
    policy: Policy,
    speaker: Speaker,
) -> Standing:
    """Journal an answer to the question of a button. The same person's same choice gives what stands already.

    Args:
        store: Where the incident is kept.
        incident: The incident, as read before.
        button: The button, which names the question and its plan.
        choice: What is answered.
        answer: Makes the answer, of the plan in question and the policy in force.
        policy: The rules, as they are now.
        speaker: Whose answer it is.

    Raises:
        AlreadyAnswered: somebody has answered otherwise.
        ActRefused: the question is not open, or this cannot be accepted.
        Unavailable: the store cannot be reached.
    """
    policy = policy_in_force(incident, policy)
    standing = standing_answer(incident, button.gate)
    if standing is not None:
        if not _is_same(choice, standing.event.answer, speaker):
            raise AlreadyAnswered(standing)
        return standing
    try:
        gate, plan = open_question(incident, button)
    except NotAsked as error:
        raise ActRefused(Refusal.NOTHING, str(error), READ) from None
    accepted = checked_answer(answer(plan, policy), incident, gate, policy, speaker)
    given = answered_event(gate, accepted)
    if choice is not Choice.APPROVE:  # whoever is in the workspace can click
        with checked(incident.id):
            require_may_refuse(incident, given, policy.rule_for(plan.action.spec.risk), policy)
    at = datetime.now(UTC)
    recorded = await store.append(incident.id, given, at=at, key=given.journal_key)
    if not isinstance(recorded.event, ApprovalAnswered):
        raise TypeError(f"{gate.gate} is answered with {recorded.event.type}")
    standing = Standing(event=recorded.event, at=recorded.at, new=recorded.at == at)
    if not _is_same(choice, recorded.event.answer, speaker):
        raise AlreadyAnswered(standing)
    return standing


async def wake_for(store: "IncidentStore", incident_id: str, standing: Standing, runs: Runs) -> None:
    """Wake the run of an answer that it still waits for.

    A run that has asked a moment ago is about to fall asleep, so a new answer waits for that.

    Raises:
        ActRefused: the run has ended, or does not wake.
        Unavailable: the store or Prefect cannot be reached.
    """
    incident = await store.read(incident_id)
    asked = request_of(incident, standing.event.gate)
    if asked is None or not still_decides(incident, standing.event):
        return
    if standing.new or await runs.asleep(UUID(asked.flow_run_id)):
        await runs.wake(UUID(asked.flow_run_id), form(asked, standing.event.answer))


def _is_same(choice: Choice, given: Answer, speaker: Speaker) -> bool:
    """Whether somebody repeats what they have said: a click may be delivered twice."""
    account = given.identity.name if given.identity is not None else ""
    return (choice, speaker.name, speaker.identity.name) == (given.choice, given.approver, account)
