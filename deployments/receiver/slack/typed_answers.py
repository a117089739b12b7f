"""Answers that are typed after `/incident`: to the question that is open, about the plan that is named."""

from deployments.receiver.slack.requests import SlackDoor
from deployments.services.clicking import READ, answer_question
from deployments.services.refusals import ActRefused, Refusal
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.approvals.gates import SNOOZE_MINUTES, Answer, Choice
from runbook.channels.buttons import Button
from runbook.incidents.incident import Incident
from runbook.interactions.commands import ANSWERS, Typed, Verb
from runbook.interactions.questions import Standing

_CHOICES = {
    Verb.APPROVE: Choice.APPROVE,
    Verb.REJECT: Choice.REJECT,
    Verb.EDIT: Choice.EDIT,
    Verb.SNOOZE: Choice.SNOOZE,
}


async def answer_typed(
    door: SlackDoor, incident: Incident, asked: Typed, speaker: Speaker, settings: Settings
) -> Standing:
    """Journal the answer, as its button does.

    Raises:
        ActRefused: nothing is asked, or about another plan; or it cannot be accepted.
        Unavailable: the store cannot be reached.
    """
    gate = incident.pending_gate
    if gate is None:
        raise ActRefused(Refusal.NOTHING, "no question is open", READ)
    if not gate.plan_digest.startswith(asked.plan):
        raise ActRefused(Refusal.NOTHING, "the question is about another plan by now", READ)
    kind = ANSWERS[asked.verb]
    button = Button(kind=kind, incident=incident.id, gate=gate.gate, plan=gate.plan_digest)
    answer = Answer(
        choice=_CHOICES[asked.verb],
        approver=speaker.name,
        channel="slack",
        reason=asked.text,
        parameters=asked.parameters,
        snooze_minutes=SNOOZE_MINUTES if asked.verb is Verb.SNOOZE else None,
    )
    return await answer_question(
        door.people.store,
        incident,
        button,
        answer.choice,
        lambda _plan, _policy: answer,
        policy=settings.policy,
        speaker=speaker,
    )
