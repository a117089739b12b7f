"""Deliver: the one way in which a message of an incident reaches a channel, whichever channel it is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from blocks.channels.channel import Channel, Post, Receipt, Unsearchable
from blocks.transport.errors import Conflict
from runbook.channels.messages import Message, about_incident
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import SUCCEEDED, Authority, Effect, EffectOutcome
from runbook.incidents.events import EffectIntended, EffectSettled, StatusAnnounced
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from tasks.channels.links import incident_link
from tasks.effects import carry_out
from tasks.incident import OpenIncident

Send = Callable[[Post], Awaitable[Receipt]]


async def deliver(
    incident: OpenIncident,
    journal: Incident,
    channel: Channel,
    send: Send,
    *,
    name: MessageName,
    summary: str,
    authority: Authority,
    state: State | None = None,
    loud: bool = False,
    announced: Sequence[StatusAnnounced] | None = None,
    digest: str = "",
) -> Effect:
    """Look for the message, journal that it is to be sent, send it, journal what became of it.

    `send` sends it in this channel; `name` is unique within the channel. `announced` is what the channel was
    told before, where that is not all that it ever was told; `digest` is that of a public text. One that
    meets a conflict is told to nobody, and is no reason to end a run.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    if announced is None:
        announced = [item for item in journal.announcements if item.channel == channel.kind]
    effect_id = EffectId.of_message(incident.id, channel.kind, name)
    known = journal.effects.get(effect_id)
    if known is not None and _for_good(channel, known):
        return known  # looking for it again would tell nothing new
    effect = Effect(
        id=effect_id,
        kind=channel.kind,
        target=channel.kind,
        summary=summary,
        authority=authority,
        digest=digest,
    )
    post = Post(
        id=effect_id,
        since=journal.opened_at,
        earlier=tuple(journal.messages_in(channel.kind)),
        first_tried=_first_tried(journal),
        announced=announced[0].reference if announced else None,
        state=state,
        loud=loud,
        rehearsal=journal.dry_run,
        known=effect_id in journal.effects,
        digests=_intended(journal, effect_id),
        about=about_incident(journal, link=incident_link(journal)),
        repeats=name.is_refresh,
    )

    async def observe() -> Receipt | None:
        return await channel.find_sent(post)

    async def act() -> Receipt:
        nonlocal post
        post = replace(post, tried=True, digests=post.digests | {digest})
        return await send(post)

    try:
        return await carry_out(incident, effect, observe=observe, act=act)
    except Conflict:
        return (await incident.read()).effects[effect.id]


async def say(
    incident: OpenIncident,
    journal: Incident,
    message: Message,
    *,
    name: MessageName,
    authority: Authority,
    loud: bool = False,
    attempts: int | None = None,
) -> list[Effect]:
    """Say it in every channel that can; `loud` also to those who do not follow the incident.

    With `attempts`, a channel in which it was tried so often, or has arrived, is left out. So is one in which
    it is in doubt for good, where it has arrived in another: nothing is left to do about it.
    """
    told = [
        (
            channel,
            await deliver(
                incident,
                journal,
                channel,
                partial(channel.say, message),
                name=name,
                summary=channel.first_line(message),
                authority=authority,
                loud=loud,
            ),
        )
        for channel in incident.environment.speakers
        if attempts is None
        or not _tried(journal, EffectId.of_message(incident.id, channel.kind, name), attempts)
    ]
    somewhere = arrived([effect for _, effect in told])
    return [effect for channel, effect in told if not (somewhere and _for_good(channel, effect))]


def _for_good(channel: Channel, effect: Effect) -> bool:
    return isinstance(channel, Unsearchable) and effect.outcome is EffectOutcome.UNSETTLED


def got_through(told: list[Effect]) -> bool:
    """Whether it has arrived everywhere, and anywhere at all."""
    return bool(told) and all(effect.outcome in SUCCEEDED for effect in told)


def arrived(told: list[Effect]) -> bool:
    """Whether it has arrived anywhere."""
    return any(effect.outcome in SUCCEEDED for effect in told)


def _tried(journal: Incident, effect_id: str, attempts: int) -> bool:
    outcomes = journal.outcomes_of(effect_id)
    return len(outcomes) >= attempts or any(outcome in SUCCEEDED for outcome in outcomes)


def _intended(journal: Incident, effect_id: str) -> frozenset[str]:
    """The digests of what was ever about to be sent as this effect."""
    events = (it for it in journal.events(EffectIntended) if it.effect.id == effect_id)
    return frozenset(event.effect.digest for event in events if event.effect.digest)


def _first_tried(journal: Incident) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for item in journal.journal:
        if isinstance(item.event, EffectIntended | EffectSettled):
            first.setdefault(item.event.effect.id, item.at)
    return first
