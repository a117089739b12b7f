"""Communicate: the channel, the status page and the pager are told, each message exactly once.

A message is an effect like any other. What is announced is rendered when the effect is first tried; the
journal says who was told what and when.
"""

from functools import partial

from blocks.channels.channel import Announcer, Audience, Caller, Channel, Post, Receipt
from runbook.channels.messages import (
    MessageFacts,
    Page,
    escalation_message,
    hand_off_message,
    message_facts,
    new_verdict_message,
)
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents.calls import open_calls
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority, Effect
from runbook.incidents.escalations import Escalation
from runbook.incidents.events import EffectSettled, IncidentEscalated, MaintenanceNoted, StatusAnnounced
from runbook.incidents.incident import Incident
from runbook.incidents.people import lead_of
from runbook.incidents.state import State
from runbook.incidents.untold import key_of, told_nobody
from tasks.channels.deliver import deliver, got_through, say
from tasks.channels.links import incident_link
from tasks.effects import SETTLED
from tasks.incident import OpenIncident, now

ANNOUNCE = Authority.policy("announce")
PUBLISH = Authority.policy("publish_from")
PAGE = Authority.policy("page_from")
ESCALATE = Authority.policy("escalate")


async def announce(incident: OpenIncident, state: State) -> None:
    """Tell the channel and, where policy says so, the status page; a state that was passed is not announced.

    Raises:
        ValueError: RESOLVED while the journal has no verified recovery.
    """
    journal = await incident.read()
    facts = _facts(incident, journal, state)
    may_announce = incident.policy_in_force(journal).announce
    for channel in incident.environment.announcers:
        public = channel.audience is Audience.PUBLIC
        allowed = _is_public(incident, journal, channel) if public else may_announce
        if allowed and not _announced(journal, channel, state):
            await _announce(incident, journal, channel, facts)


async def update(incident: OpenIncident) -> None:
    """Keep the promise of a next update: say again where things stand, once the promised time has come."""
    journal = await incident.read()
    if not incident.policy_in_force(journal).announce:
        return
    for channel in incident.environment.announcers:
        told = (item for item in journal.announcements if item.channel == channel.kind)
        promised = [item.next_update_at for item in told if item.next_update_at]
        if promised and now() >= promised[-1]:
            await _announce(incident, journal, channel, _facts(incident, journal, journal.state))


async def page_on_opening(incident: OpenIncident) -> None:
    """Call the on-call person where the severity asks for it and no known maintenance forbids it."""
    journal = await incident.read()
    noted = journal.last(MaintenanceNoted)
    if noted is not None and noted.paging_suppressed:
        return
    severity = journal.severity.severity if journal.severity else Severity.P2
    if incident.policy_in_force(journal).pages(severity):
        await _page(
            incident,
            journal,
            f"{severity} {journal.service}: {journal.alert.summary}",
            PAGE,
            MessageName.opening(),
        )


async def escalate(
    incident: OpenIncident,
    what: Escalation,
    because: str,
    commands: tuple[str, ...] = (),
    *,
    about: str = "",
    outlasts: bool = False,
    in_doubt: tuple[str, ...] = (),
) -> bool:
    """Call a person because the runbook cannot go on by itself, by the pager and in the channel.

    `what` the call is for tells one call from another: asked for again in other words, nobody is paged again
    and the words stay. `commands` are what they may type by hand; `about` is the id of the action that it is
    about; `in_doubt` are ids of changes that may or may not have been made. A call that `outlasts` the
    incident is not ended by its recovery. Returns whether the call got through everywhere; what did not is
    tried again when the same is asked for again, and where nobody could be told, the journal says so. In a
    rehearsal nobody is paged: the channel is told.
    """
    journal = await incident.read()
    wanted = IncidentEscalated(
        because=because,
        commands=commands,
        rehearsed=journal.dry_run,
        about=about,
        outlasts=outlasts,
        what=what,
        in_doubt=in_doubt,
    )
    if _number(journal, wanted) is None:
        await incident.record_once(wanted)
        journal = await incident.read()
    number = _number(journal, wanted)
    if number is None:  # it was written above; this tells the type checker
        raise LookupError(f"no page for {what}")
    event, name = journal.events(IncidentEscalated)[number - 1], MessageName.escalation(number)
    summary = f"{journal.service}: {event.because}"
    told = await _page(incident, journal, summary, ESCALATE, name, commands=event.commands)
    message = escalation_message(event.because, commands=event.commands, link=incident_link(journal))
    told += await say(incident, journal, message, name=name, authority=ESCALATE, loud=True)
    nobody = None if journal.dry_run else told_nobody(incident.id, number, summary, told, ESCALATE)
    if nobody is not None:
        await incident.record(EffectSettled(effect=nobody), key=key_of(number, nobody))
    return got_through(told) or (journal.dry_run and not told)


def _number(journal: Incident, wanted: IncidentEscalated) -> int | None:
    """The number, from 1, of the call that was made for the same."""
    calls = enumerate(journal.events(IncidentEscalated), 1)
    return next((number for number, event in calls if event.is_for(wanted)), None)


async def tell_of_new_verdict(incident: OpenIncident, *, round: int) -> None:
    """Tell the team why the plan that it was told is no longer valid, and that another verdict follows."""
    journal = await incident.read()
    outdated = [result for result in journal.results.values() if result.outdated]
    if len(outdated) < round - 1 or not incident.policy_in_force(journal).announce:
        return
    gone = outdated[round - 2]
    message = new_verdict_message(gone.action.spec.title, gone.detail)
    await say(incident, journal, message, name=MessageName.new_verdict(round), authority=ANNOUNCE)


async def hand_over(incident: OpenIncident, action_id: str, text: str) -> bool:
    """Send the text of a hand-off to the team; true if it got there."""
    journal, name = await incident.read(), MessageName.hand_off(action_id)
    return got_through(await say(incident, journal, hand_off_message(text), name=name, authority=ANNOUNCE))


async def resolve_page(incident: OpenIncident) -> None:
    """Resolve the pages that were sent for this incident, also those in doubt.

    A call about something that the recovery has not settled goes on, see `runbook.incidents.calls`.
    """
    journal = await incident.read()
    going_on = open_calls(journal)
    for channel in incident.environment.callers:
        for call in journal.messages_in(channel.kind):
            if not call.message.is_end and call.message.escalation_number not in going_on:
                await _end_call(incident, journal, channel, call)


async def _end_call(incident: OpenIncident, journal: Incident, channel: Caller, call: Effect) -> None:
    async def end(_: Post) -> Receipt:
        return await channel.end_page(call.id, call.receipt)

    summary = f"resolve the page: {call.summary}"
    await deliver(incident, journal, channel, end, name=call.message.end, summary=summary, authority=ESCALATE)


def _facts(incident: OpenIncident, journal: Incident, state: State) -> MessageFacts:
    return message_facts(
        journal,
        state=state,
        now=now(),
        commander=lead_of(journal) or incident.policy.incident_commander,
        update_interval=incident.policy.next_update_in(journal.rating or Severity.P2),
        time_zone=incident.policy.calendar.time_zone,
        link=incident_link(journal),
    )


def _announced(journal: Incident, channel: Channel, state: State) -> bool:
    """Whether the channel was told this state, or perhaps a later one: who starts again does not go back."""
    order = [str(one) for one in State]
    told = [order.index(item.state) for item in journal.announcements if item.channel == channel.kind]
    names = [effect.message.announced_state for effect in _in_doubt(journal, channel)]
    perhaps = [order.index(name) for name in names if name in order]
    return max(told, default=-1) >= order.index(state) or max(perhaps, default=-1) > order.index(state)


def _in_doubt(journal: Incident, channel: Channel) -> list[Effect]:
    """The messages to the channel that are in doubt."""
    return [effect for effect in journal.messages_in(channel.kind) if effect.in_doubt]


def _is_public(incident: OpenIncident, journal: Incident, channel: Channel) -> bool:
    """The public is told about impact that we are sure of; and then, or if it may know, also how it ended.

    Of a rehearsal it is never told.
    """
    if journal.dry_run:
        return False
    if any(item.channel == channel.kind for item in journal.announcements):
        return True
    if _in_doubt(journal, channel):
        return True
    decision, severity = journal.decision, journal.severity
    if decision is None or severity is None or journal.resolved:
        return False
    certain = decision.verdict not in (Verdict.UNKNOWN, Verdict.RESOLVED_OR_INTERMITTENT)
    return certain and incident.policy_in_force(journal).publishes(severity.severity)


async def _announce(
    incident: OpenIncident, journal: Incident, channel: Announcer, facts: MessageFacts
) -> None:
    """Announce the state; the team may be told the same one again, and is promised a next update."""
    public = channel.audience is Audience.PUBLIC
    number = 1 + sum(item.channel == channel.kind for item in journal.announcements)
    name = MessageName.announcement(facts.state, None if public else number)
    told = await deliver(
        incident,
        journal,
        channel,
        partial(channel.announce, facts),
        name=name,
        summary=channel.headline(facts),
        authority=PUBLISH if public else ANNOUNCE,
        state=facts.state,
    )
    if told.outcome in SETTLED:
        event = StatusAnnounced(
            channel=channel.kind,
            state=facts.state,
            reference=channel.reference(told.receipt),
            next_update_at=None if public else facts.next_update,
        )
        await incident.record(event, key=event.key_of(name))


async def _page(
    incident: OpenIncident,
    journal: Incident,
    summary: str,
    authority: Authority,
    name: MessageName,
    *,
    commands: tuple[str, ...] = (),
) -> list[Effect]:
    """Page a person by every pager; nobody in a rehearsal. Each pager gets its own page."""
    if journal.dry_run:
        return []
    severity = journal.severity.severity if journal.severity else Severity.P2
    by_hand = {"by hand": "\n".join(commands)} if commands else {}
    page = Page(
        summary=summary,
        severity=severity,
        source=journal.service,
        details={"incident": incident.id, "alert": journal.alert.name, **by_hand},
        link=incident_link(journal),
    )
    return [
        await deliver(
            incident,
            journal,
            channel,
            partial(channel.page, page),
            name=name,
            summary=summary,
            authority=authority,
        )
        for channel in incident.environment.callers
    ]
