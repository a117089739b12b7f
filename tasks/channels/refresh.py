"""Refresh: what stands in the channels is made true, each change of a message an effect in the journal.

The messages are built from the journal whenever somebody comes by: the run at its steps, the reminders once
the clock finds that one says something else than it should. One process at a time does so for an incident,
and looks again after each change, so that what stands there last is what is true now.

What if the process dies here? A change that was journalled as intended is made again, with the words that are
true by then. A question that may have been posted is looked for before it is posted.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4
from weakref import WeakValueDictionary

from blocks.channels.channel import Editor, Receipt, Speaker
from blocks.environment import Environment
from runbook.channels.cards.standing import StandingMessage, changed_at, may_try, standing
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import SUCCEEDED, Authority, Effect
from runbook.incidents.events import is_act_of_a_person
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from tasks.channels.deliver import deliver
from tasks.channels.links import incident_link
from tasks.effects import carry_out
from tasks.incident import OpenIncident, now
from tasks.lease import exclusively

ASK = Authority.policy("ask")
SHOW = Authority.policy("announce")

LEASE = timedelta(minutes=1)
"""How long one process may take; after a kill, others wait no longer than this."""

MOST_LOOKS = 6
"""How often one process looks again for what has changed meanwhile."""

CALM = timedelta(seconds=30)
"""How often the clock has a first message changed: the run does so at its steps by itself. What a person has
done is shown at once."""


async def refresh(incident: OpenIncident) -> list[str]:
    """Ask what is not asked yet, and change each message that is not true any more; the ids of what was done.

    Nothing is done where another process is at it: that one looks again before it ends. A run that goes on in
    the place of one that died at it does not wait for the end of that one's lease.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    done: list[str] = []
    away: set[str] = set()
    environment = incident.environment
    holder = str(uuid4()) if incident.lease is None else incident.id
    if not any(_stale(environment, await incident.read(), now())):
        return done
    async with (
        _one_at_a_time(incident),
        exclusively(environment, f"messages of {incident.id}", holder, term=LEASE) as ours,
    ):
        for _ in range(MOST_LOOKS if ours else 0):
            journal = await incident.read()
            left = (it for it in _stale(environment, journal, now()) if it[0].kind not in away)
            found = next(left, None)
            if found is None:
                break
            effect = await _show(incident, journal, *found)
            if effect.outcome in SUCCEEDED:
                done.append(effect.id)
            else:
                away.add(effect.kind)  # its other messages have to wait, too
    return done


def _one_at_a_time(incident: OpenIncident) -> asyncio.Lock:
    """What keeps the steps of one run apart: to the store they are the same holder."""
    return _at_it.setdefault(incident.id, asyncio.Lock())


_at_it: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def stale_messages(environment: Environment, journal: Incident, at: datetime) -> list[str]:
    """What is to be asked or changed now, each with what tells it from the same at another time.

    It is another one after each `LEASE`: a run that came by too early, while a process that had died still
    held the lease, is followed by one that can do it.
    """
    term = int(at.timestamp() // LEASE.total_seconds()) if LEASE else 0
    return [
        f"{message.effect_name} for the {tries + 1}. time, {term}"
        for channel, message in _stale(environment, journal, at)
        if message.sent is None or not message.is_root or _is_calm(journal, message, at)
        for tries in [len(journal.outcomes_of(_effect_id(journal, channel, message)))]
    ]


def _stale(
    environment: Environment, journal: Incident, at: datetime
) -> Iterator[tuple[Speaker, StandingMessage]]:
    policy = environment.runbook_policy.policy
    if not policy_in_force(journal, policy).announce:
        return
    link = incident_link(journal)
    for channel in environment.speakers:
        for message in standing(journal, channel.kind, policy=policy, now=at, link=link):
            if message.sent is not None and not _says_something_else(channel, message, journal):
                continue
            if may_try(journal, _effect_id(journal, channel, message), at):
                yield channel, message


def _says_something_else(channel: Speaker, message: StandingMessage, journal: Incident) -> bool:
    """Whether a message can be changed and shows something else than it should."""
    if not isinstance(channel, Editor):
        return False
    return message.shown != channel.shown(message.card, rehearsal=journal.dry_run)


def _is_calm(journal: Incident, message: StandingMessage, at: datetime) -> bool:
    changed = changed_at(journal, message)
    acted = any(item.at >= changed and is_act_of_a_person(item.event) for item in journal.journal)
    return message.sent is not None and (acted or at >= changed + CALM)


def _effect_id(journal: Incident, channel: Speaker, message: StandingMessage) -> str:
    return EffectId.of_message(journal.id, channel.kind, message.effect_name)


async def _show(
    incident: OpenIncident, journal: Incident, channel: Speaker, message: StandingMessage
) -> Effect:
    if message.sent is None:
        return await deliver(
            incident,
            journal,
            channel,
            lambda post: channel.say(message.card, post),
            name=message.name,
            summary=channel.first_line(message.card),
            authority=ASK,
            loud=True,
        )
    return await _edit(incident, journal, channel, message, message.sent)


async def _edit(
    incident: OpenIncident, journal: Incident, channel: Speaker, message: StandingMessage, sent: Effect
) -> Effect:
    effect = Effect(
        id=_effect_id(journal, channel, message),
        kind=channel.kind,
        target=channel.kind,
        summary=f"message changed: {channel.first_line(message.card)}",
        authority=SHOW,
    )

    async def observe() -> Receipt | None:
        return None  # the same again is harmless

    async def act() -> Receipt:
        if not isinstance(channel, Editor):
            raise TypeError(f"messages of {channel.kind} cannot be changed")
        return await channel.edit(sent, message.card, rehearsal=journal.dry_run)

    return await carry_out(incident, effect, observe=observe, act=act)
