"""Which messages of a channel stand for something that may change, and what each of them has to say now.

A message is changed by an effect of its own, see `MessageName.edit`. Its receipt has, as `shown`, what tells
what the message shows from what another one would show: so the journal knows what stands in the channel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.channels.cards.card import Card
from runbook.channels.cards.clock_reminders import given_reminders, reminder_card, reminder_name
from runbook.channels.cards.public_texts import public_text_card, public_text_name, public_texts
from runbook.channels.cards.question_files import diff_is_shared
from runbook.channels.cards.questions import Question, is_open, question_card, questions
from runbook.channels.cards.root import root_card
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import SUCCEEDED, Effect
from runbook.incidents.events import ApprovalReminded, EffectSettled
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy

SHOWN = "shown"
"""In a receipt: what tells what a message shows from what another one would show."""

FIRST_PAUSE = timedelta(minutes=1)
"""A message that could not be sent or changed is tried again after this, then after twice as long, and so on.

Never before the channel wants to be asked again, as by its `Retry-After`; an hour is the longest pause.
"""

LONGEST_PAUSE = timedelta(hours=1)

_STATES = frozenset(state.value for state in State)


@dataclass(frozen=True)
class StandingMessage:
    """A message and what it has to say now.

    `sent` is the message as it was sent first, `None` where it was not yet. `shown` is what it shows by the
    journal, empty where that is not known. `number` is that of the next change, from 1.
    """

    name: MessageName
    card: Card
    sent: Effect | None = None
    shown: str = ""
    number: int = 1

    @property
    def is_root(self) -> bool:
        """Whether it is the first message of the incident's thread."""
        return self.card.template == "root"

    @property
    def effect_name(self) -> MessageName:
        """What is to be done: it is sent, or changed."""
        return self.name if self.sent is None else MessageName.edit(self.name, self.number)


def standing(
    incident: Incident, channel: str, *, policy: Policy, now: datetime, link: str
) -> Iterator[StandingMessage]:
    """The messages of a channel that stand for something; what is open now even if it is not there yet.

    A question that is over is sent to nobody, nor is a text for the public. A clock's reminder is sent by
    itself; one of an earlier release, which had no buttons, stays as it was sent.
    """
    asked = questions(incident)
    for question in asked:
        sent = incident.effects.get(EffectId.of_message(incident.id, channel, question.name))
        there = sent is not None and sent.outcome in SUCCEEDED
        if there or (is_open(incident, question) and not _known_there(incident, question, sent)):
            newest = question is asked[-1]
            shown = question_card(
                incident,
                question,
                policy=policy,
                now=now,
                link=link,
                newest=newest,
                whole_diff=diff_is_shared(incident, channel, question),
            )
            if shown is not None:
                yield _standing(incident, question.name, shown, sent if there else None)
    for text, waits in public_texts(incident, policy):
        name = public_text_name(text)
        sent = incident.effects.get(EffectId.of_message(incident.id, channel, name))
        there = sent is not None and sent.outcome in SUCCEEDED
        if there or waits:
            card = public_text_card(incident, text, policy=policy, link=link, waits=waits)
            yield _standing(incident, name, card, sent if there else None)
    for given in given_reminders(incident, policy):
        name = reminder_name(given.event)
        sent = incident.effects.get(EffectId.of_message(incident.id, channel, name))
        if sent is not None and sent.outcome in SUCCEEDED and SHOWN in sent.receipt:
            card = reminder_card(incident, given, policy=policy, now=now, link=link)
            yield _standing(incident, name, card, sent)
    root = _root(incident, channel)
    if root is not None:
        card = root_card(incident, channel=channel, policy=policy, now=now, link=link)
        yield _standing(incident, root.message, card, root)


def changed_at(incident: Incident, message: StandingMessage) -> datetime:
    """When the message was sent or changed last, or that was tried (aware UTC)."""
    return max(
        (
            item.at
            for item in incident.journal
            if isinstance(item.event, EffectSettled)
            and message.name in (item.event.effect.message, item.event.effect.message.edited)
        ),
        default=incident.opened_at,
    )


def may_try(incident: Incident, effect_id: str, now: datetime) -> bool:
    """Whether an effect may be tried: at once, or after a pause that grows with each failure."""
    failed = [
        (item.at, item.event.effect.not_before or item.at)
        for item in incident.journal
        if isinstance(item.event, EffectSettled)
        and item.event.effect.id == effect_id
        and item.event.effect.outcome not in SUCCEEDED
    ]
    if not failed:
        return True
    doublings = min(len(failed) - 1, 10)
    last, wished = failed[-1]
    pause = max(FIRST_PAUSE * (1 << doublings), wished - last)
    return now >= last + min(pause, LONGEST_PAUSE)


def _root(incident: Incident, channel: str) -> Effect | None:
    """The message that opened the thread, where it is an announcement: any other says what it says."""
    for item in incident.journal:
        event = item.event
        if isinstance(event, EffectSettled) and event.effect.kind == channel and _is_there(event.effect):
            return event.effect if event.effect.message.announced_state in _STATES else None
    return None


def _known_there(incident: Incident, question: Question, sent: Effect | None) -> bool:
    """Whether an earlier release has asked it: people were reminded of it, and it was never sent."""
    reminded = {event.gate for event in incident.events(ApprovalReminded)}
    return sent is None and not reminded.isdisjoint(question.gates)


def _is_there(effect: Effect) -> bool:
    return effect.outcome in SUCCEEDED and bool(effect.receipt)


def _standing(incident: Incident, name: MessageName, card: Card, sent: Effect | None) -> StandingMessage:
    if sent is None:
        return StandingMessage(name, card)
    edits = [
        effect
        for effect in incident.messages_in(sent.kind)
        if effect.message.edited == name and effect.outcome in SUCCEEDED
    ]
    newest = edits[-1] if edits else sent
    return StandingMessage(name, card, sent, str(newest.receipt.get(SHOWN, "")), len(edits) + 1)
