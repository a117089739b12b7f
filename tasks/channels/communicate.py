"""Communicate: the channel and the status page are told, each message exactly once.

A message is an effect like any other. What is announced is rendered when the effect is first tried; the
journal says who was told what and when.
"""

from functools import partial

from blocks.channels.channel import Announcer, Audience, Channel, Editor, PublicPage
from runbook.channels.cards.root import root_card
from runbook.channels.messages import (
    MessageFacts,
    hand_off_message,
    new_verdict_message,
    notice_message,
)
from runbook.channels.public_incident import public_announcements
from runbook.channels.told_state import forced_state, told_state, was_told
from runbook.channels.updates import DueUpdate, asked_update, missed_announcements
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import SUCCEEDED, Authority
from runbook.incidents.events import (
    ActionFinished,
    IncidentAbsorbed,
    IncidentMerged,
    StateForced,
    StatusAnnounced,
    UpdateRequested,
)
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from runbook.incidents.state import State
from runbook.public.gate import DuePublication
from runbook.public.publishing import is_public
from runbook.public.refreshing import DueRefresh, due_refreshes, told_again
from runbook.public.texts import text_digest
from tasks.channels.deliver import Send, deliver, got_through, say
from tasks.channels.facts import facts_of
from tasks.channels.links import incident_link
from tasks.channels.public_gate import admitted, facts_for, text_due
from tasks.channels.public_page import may_be_published, note_namesakes, public_text
from tasks.channels.refresh import refresh
from tasks.incident import OpenIncident, now

ANNOUNCE = Authority.policy("announce")
PUBLISH = Authority.policy("publish_from")


async def announce(incident: OpenIncident, state: State) -> None:
    """Tell the channel and, where policy says so, the status page; a state that was passed is not announced.

    Raises:
        ValueError: RESOLVED while the journal has no verified recovery.
    """
    journal = await incident.read()
    facts = facts_of(incident, journal, state)
    may_announce = incident.policy_in_force(journal).announce
    for channel in _told(incident, journal):
        public = channel.audience is Audience.PUBLIC
        allowed = is_public(journal, channel.kind, incident.policy) if public else may_announce
        if allowed and not was_told(journal, channel.kind, state, incident.policy):
            await _announce(incident, journal, channel, facts)
    await refresh(incident)


async def update(incident: OpenIncident) -> None:
    """Keep the promise of a next update: say again where things stand, once the promised time has come."""
    journal = await incident.read()
    if not incident.policy_in_force(journal).announce:
        return
    for channel in _told(incident, journal):
        told = (item for item in journal.announcements if item.channel == channel.kind)
        promised = [item.next_update_at for item in told if item.next_update_at]
        if promised and now() >= promised[-1]:
            await _announce(
                incident, journal, channel, facts_of(incident, journal, told_state(journal, incident.policy))
            )
    await refresh(incident)


async def announce_now(incident: OpenIncident, due: DueUpdate) -> UpdateRequested | StateForced | None:
    """Say where things stand because a person asked; `None` where it did not get through everywhere."""
    journal = await incident.read()
    asked = asked_update(journal, channels=due.channels, policy=incident.policy)
    for channel in _told(incident, journal):
        if asked is not None and channel.kind in asked.channels:
            await _announce(
                incident, journal, channel, facts_of(incident, journal, told_state(journal, incident.policy))
            )
    await refresh(incident)
    left = asked_update(await incident.read(), channels=due.channels, policy=incident.policy)
    return due.request if left is None else None


async def announce_missed(incident: OpenIncident, channel: str) -> StatusAnnounced | None:
    """Say where things stand in a channel that did not take the last announcement; `None` if again not."""
    journal = await incident.read()
    for each in _told(incident, journal):
        kinds = [channel] if each.kind == channel else []
        if missed_announcements(journal, channels=kinds, policy=incident.policy, now=now()):
            told = await _announce(
                incident, journal, each, facts_of(incident, journal, told_state(journal, incident.policy))
            )
            await refresh(incident)
            return told
    return None


async def refresh_public(incident: OpenIncident, due: DueRefresh) -> StatusAnnounced | None:
    """Say in a public entry again, or by a person's word, where things stand; `None` if it was not."""
    journal = await incident.read()
    channels = {channel.kind: channel for channel in incident.environment.announcers}
    found = due_refreshes(journal, channels=[due.channel], policy=incident.policy, now=now())
    if due not in found or due.channel not in channels:
        return None  # it was refreshed, or is over, in the meantime
    state = State(due.state) if due.state else told_again(journal, due.channel, incident.policy)
    facts = facts_of(incident, journal, state)
    return await _announce(incident, journal, channels[due.channel], facts, again=not due.state)


async def publish_text(incident: OpenIncident, due: DuePublication) -> StatusAnnounced | None:
    """Publish a text that a person was asked about; `None` where it was not published."""
    journal = await incident.read()
    channels = {channel.kind: channel for channel in incident.environment.announcers}
    text = text_due(incident, journal, due)
    if text is None or due.channel not in channels:
        return None  # it was published, replaced or is over in the meantime
    channel, facts = channels[due.channel], facts_for(incident, journal, text)
    if not await may_be_published(incident, journal, channel, facts):
        return None
    by = text.answer.by if text.answer is not None else ""
    authority = Authority.approval(text.text.digest, by) if by else PUBLISH
    name = MessageName(text.text.message)
    told = await _tell(incident, journal, channel, facts, name=name, authority=authority)
    await refresh(incident)
    return told


async def tell_of_merger(incident: OpenIncident) -> None:
    """Tell the team where the response goes on, once the incident is merged into another."""
    journal = await incident.read()
    merged = journal.end.event if journal.end else None
    if isinstance(merged, IncidentMerged) and incident.policy_in_force(journal).announce:
        message = notice_message(sentence(merged), link=incident_link(journal))
        await say(incident, journal, message, name=MessageName.merged(journal.reopened), authority=ANNOUNCE)
    await refresh(incident)


async def resolve_absorbed(incident: OpenIncident) -> None:
    """Resolve what the public was told of the incidents that are merged into this one: it is over with this.

    A merger itself leaves a public entry open, since the outage goes on for whoever reads the page.
    """
    journal = await incident.read()
    facts = facts_of(incident, journal, State.RESOLVED)
    waiting = [(event.incident, incident.id) for event in journal.events(IncidentAbsorbed)]
    while waiting:
        name, into = waiting.pop(0)
        absorbed = OpenIncident(id=name, environment=incident.environment)
        its = await absorbed.read()
        merged = its.end.event if its.end else None
        if not isinstance(merged, IncidentMerged) or merged.into != into:
            continue  # it was reopened, and has its own end or that of another one
        waiting += [(event.incident, name) for event in its.events(IncidentAbsorbed)]
        for channel in incident.environment.announcers:
            told = public_announcements(its, channel.kind, channel.reference)
            if channel.audience is Audience.PUBLIC and told and told[-1].state != State.RESOLVED:
                await _announce(absorbed, its, channel, facts)


async def tell_of_new_verdict(incident: OpenIncident, *, round: int) -> None:
    """Tell the team why what it was told is no longer valid, and that another verdict follows."""
    journal = await incident.read()
    if len(journal.round_ends) < round - 1 or not incident.policy_in_force(journal).announce:
        return
    match journal.round_ends[round - 2]:
        case ActionFinished() as ended:
            message = new_verdict_message(ended.result.action.spec.title, ended.result.detail)
        case event:
            message = notice_message(f"🔁 {sentence(event)}", link=incident_link(journal))
    await say(incident, journal, message, name=MessageName.new_verdict(round), authority=ANNOUNCE)


async def hand_over(incident: OpenIncident, action_id: str, text: str) -> bool:
    """Send the text of a hand-off to the team; true if it got there."""
    journal, name = await incident.read(), MessageName.hand_off(action_id)
    return got_through(await say(incident, journal, hand_off_message(text), name=name, authority=ANNOUNCE))


def _told(incident: OpenIncident, journal: Incident) -> list[Announcer]:
    """The channels that are told of this incident: support is not told of a rehearsal."""
    away = Audience.SUPPORT if journal.dry_run else None
    return [channel for channel in incident.environment.announcers if channel.audience is not away]


async def _announce(
    incident: OpenIncident,
    journal: Incident,
    channel: Announcer,
    facts: MessageFacts,
    *,
    again: bool = False,
) -> StatusAnnounced | None:
    """Announce the state; the team may be told the same one again, and is promised a next update.

    The public hears it `again` only as a refresh.
    """
    public = channel.audience is Audience.PUBLIC
    number = 1 + sum(item.channel == channel.kind for item in journal.announcements)
    if again:
        name = _new_refresh(journal, channel, facts.state, number)
    else:
        life = journal.reopened + 1 if journal.reopened else None
        name = MessageName.announcement(facts.state, life if public else number)
        if public and _went_back(journal, channel, facts.state, name):
            name = _new_refresh(journal, channel, facts.state, number)
    if public:
        worded = await admitted(incident, journal, channel, facts, name)
        if worded is None:
            return None
        return await _tell(incident, journal, channel, worded, name=name, authority=PUBLISH)
    return await _tell(incident, journal, channel, facts, name=name, authority=ANNOUNCE)


async def _tell(
    incident: OpenIncident,
    journal: Incident,
    channel: Announcer,
    facts: MessageFacts,
    *,
    name: MessageName,
    authority: Authority,
) -> StatusAnnounced | None:
    """Announce it as that message; `None` where it did not get through."""
    public = channel.audience is Audience.PUBLIC
    told = await deliver(
        incident,
        journal,
        channel,
        _announcement(incident, journal, channel, facts),
        name=name,
        summary=channel.headline(facts),
        authority=authority,
        state=facts.state,
        announced=public_announcements(journal, channel.kind, channel.reference) if public else None,
        digest=text_digest(public_text(channel, facts).body) if public else "",
    )
    if told.outcome not in SUCCEEDED:
        return None
    forced = forced_state(journal, incident.policy)
    event = StatusAnnounced(
        channel=channel.kind,
        state=facts.state,
        by_word=not public and forced is not None and forced.state == facts.state,
        reference=channel.reference(told.receipt),
        next_update_at=None if public else facts.next_update,
    )
    await incident.record(event, key=event.key_of(name))
    if isinstance(channel, PublicPage) and facts.state is not State.RESOLVED:
        await note_namesakes(incident, channel, facts)
    return event


def _went_back(journal: Incident, channel: Channel, state: State, name: MessageName) -> bool:
    """Whether the page was told that state, on a person's word, and has said another one since."""
    known = journal.effects.get(EffectId.of_message(journal.id, channel.kind, name))
    arrived = known is not None and known.outcome in SUCCEEDED
    return arrived and [told.state for told in public_announcements(journal, channel.kind)][-1:] != [state]


def _new_refresh(journal: Incident, channel: Channel, state: State, number: int) -> MessageName:
    """The name of a refresh that has not arrived: the run of one that has may have died before it said so."""
    name = MessageName.refreshed(state, number)
    known = journal.effects.get(EffectId.of_message(journal.id, channel.kind, name))
    arrived = known is not None and known.outcome in SUCCEEDED
    return _new_refresh(journal, channel, state, number + 1) if arrived else name


def _announcement(incident: OpenIncident, journal: Incident, channel: Announcer, facts: MessageFacts) -> Send:
    """How it is announced. The first message of a thread is kept true afterwards, where there is a way."""
    begun = any(effect.receipt for effect in journal.messages_in(channel.kind))
    if not isinstance(channel, Editor) or begun:
        return partial(channel.announce, facts)
    card = root_card(
        journal,
        channel=channel.kind,
        policy=incident.policy,
        now=facts.updated_at,
        link=facts.link,
        promised=facts.next_update,
    )
    return partial(channel.say, card)
