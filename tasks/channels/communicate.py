"""Communicate: the channel, the status page and the pager are told, each message exactly once.

A message is an effect like any other. What is announced is rendered when the effect is first tried; the
journal says who was told what and when.
"""

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.channels.pager import Pager
from runbook.channels.messages import (
    MessageFacts,
    escalation_message,
    hand_off_message,
    internal_message,
    message_facts,
)
from runbook.channels.wording import REHEARSAL
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents.calls import open_calls
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority, Effect
from runbook.incidents.escalations import Escalation
from runbook.incidents.events import IncidentEscalated, MaintenanceNoted, StatusAnnounced
from runbook.incidents.incident import Incident, State
from runbook.outside_text.slack import SlackText, said
from tasks.channels.links import incident_link
from tasks.channels.message_effects import in_doubt, message_effect, tell
from tasks.channels.publish import publish
from tasks.effects import SETTLED, Receipt
from tasks.incident import OpenIncident, now

ANNOUNCE = Authority.policy("announce")
PAGE = Authority.policy("page_from")
ESCALATE = Authority.policy("escalate")


@task(name="announce", task_run_name="announce {state.value}", cache_policy=NO_CACHE)
async def announce(incident: OpenIncident, state: State) -> None:
    """Tell the channel and, where policy says so, the status page; a state that was passed is not announced.

    Raises:
        ValueError: RESOLVED while the journal holds no verified recovery.
    """
    journal = await incident.read()
    facts = _facts(incident, journal, state)
    may_announce = incident.policy_in_force(journal).announce
    if may_announce and incident.environment.slack and not _announced(journal, "slack", state):
        await _post_to_slack(incident, journal, facts)
    if _is_public(incident, journal) and not _announced(journal, "status-page", state):
        await publish(incident, journal, facts)


@task(name="update", task_run_name="update", cache_policy=NO_CACHE)
async def update(incident: OpenIncident) -> None:
    """Keep the promise of a next update: say again where things stand, once the promised time has come."""
    journal = await incident.read()
    promised = [item.next_update_at for item in journal.announcements if item.next_update_at]
    due = bool(promised) and now() >= promised[-1] and incident.policy_in_force(journal).announce
    if due and incident.environment.slack:
        await _post_to_slack(incident, journal, _facts(incident, journal, journal.state))


@task(name="page", task_run_name="page", cache_policy=NO_CACHE)
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


@task(name="escalate", task_run_name="escalate", cache_policy=NO_CACHE)
async def escalate(
    incident: OpenIncident,
    what: Escalation,
    because: str,
    commands: tuple[str, ...] = (),
    *,
    about: str = "",
    in_doubt: tuple[str, ...] = (),
) -> bool:
    """Call a person because the runbook cannot go on by itself, by the pager and in the channel.

    `what` the call is for tells one call from another: asked for again in other words, nobody is called again
    and the words stay. `commands` are what they may type by hand; `about` is the id of the action that it is
    about; `in_doubt` are ids of changes that may or may not have been made. Returns whether the call got
    through everywhere; what did not is tried again when the same is asked for again. In a rehearsal nobody is
    called: the channel is told.
    """
    journal = await incident.read()
    wanted = IncidentEscalated(
        because=because,
        commands=commands,
        rehearsed=journal.dry_run,
        about=about,
        what=what,
        in_doubt=in_doubt,
    )
    if _number(journal, wanted) is None:
        await incident.record_once(wanted)
        journal = await incident.read()
    number = _number(journal, wanted)
    if number is None:  # it was written above; this tells the type checker
        raise LookupError(f"no call for {what}")
    event, name = journal.events(IncidentEscalated)[number - 1], MessageName.escalation(number)
    told = []
    summary = f"{journal.service}: {event.because}"
    if called := await _page(incident, journal, summary, ESCALATE, name, commands=event.commands):
        told.append(called)
    if incident.environment.slack:
        text = escalation_message(event.because, commands=event.commands, link=incident_link(journal))
        told.append(await say(incident, journal, text, name=name, authority=ESCALATE, broadcast=True))
    return bool(told or journal.dry_run) and all(effect.outcome in SETTLED for effect in told)


def _number(journal: Incident, wanted: IncidentEscalated) -> int | None:
    """The number, from 1, of the call that was made for the same."""
    calls = enumerate(journal.events(IncidentEscalated), 1)
    return next((number for number, event in calls if event.is_for(wanted)), None)


@task(name="hand over", task_run_name="hand over", cache_policy=NO_CACHE)
async def hand_over(incident: OpenIncident, action_id: str, text: str) -> bool:
    """Send the text of a hand-off to the channel; true if it got there."""
    if not incident.environment.slack:
        return False
    journal = await incident.read()
    told = await say(
        incident, journal, hand_off_message(text), name=MessageName.hand_off(action_id), authority=ANNOUNCE
    )
    return told.outcome in SETTLED


@task(name="resolve page", task_run_name="resolve page", cache_policy=NO_CACHE)
async def resolve_page(incident: OpenIncident) -> None:
    """End the calls that were made for this incident, also one of which nobody knows whether it was.

    A call about something that the recovery has not settled goes on, see `runbook.incidents.calls`.
    """
    pager = incident.environment.pager
    if pager is None:
        return
    journal = await incident.read()
    going_on = open_calls(journal)
    for call in journal.messages_in("pager"):
        if not call.message.is_end and call.message.escalation_number not in going_on:
            await _end_call(incident, pager, call)


async def _end_call(incident: OpenIncident, pager: Pager, call: Effect) -> None:
    key = _deduplication_key(call)

    async def act() -> Receipt:
        await pager.resolve(key)
        return {"dedup_key": key}

    effect = message_effect(incident, "pager", call.message.end, f"end the call: {call.summary}", ESCALATE)
    await tell(incident, effect, observe=_never_seen, act=act)


def _facts(incident: OpenIncident, journal: Incident, state: State) -> MessageFacts:
    return message_facts(
        journal,
        state=state,
        now=now(),
        commander=incident.policy.incident_commander,
        update_interval=incident.policy.next_update_in(journal.rating or Severity.P2),
        time_zone=incident.policy.calendar.time_zone,
        link=incident_link(journal),
    )


def _announced(journal: Incident, channel: str, state: State) -> bool:
    """Whether the channel was told this state, or perhaps a later one: who starts again does not go back."""
    order = [str(one) for one in State]
    told = [order.index(item.state) for item in journal.announcements if item.channel == channel]
    names = [effect.message.announced_state for effect in in_doubt(journal, channel)]
    perhaps = [order.index(name) for name in names if name in order]
    return max(told, default=-1) >= order.index(state) or max(perhaps, default=-1) > order.index(state)


def _is_public(incident: OpenIncident, journal: Incident) -> bool:
    """The public is told about impact that we are sure of; and then, or if it may know, also how it ended.

    Of a rehearsal it is never told.
    """
    if incident.environment.status_page_publisher is None or journal.dry_run:
        return False
    if any(item.channel == "status-page" for item in journal.announcements):
        return True
    if in_doubt(journal, "status-page"):
        return True
    decision, severity = journal.decision, journal.severity
    if decision is None or severity is None or journal.resolved:
        return False
    certain = decision.verdict not in (Verdict.UNKNOWN, Verdict.RESOLVED_OR_INTERMITTENT)
    return certain and incident.policy_in_force(journal).publishes(severity.severity)


async def _post_to_slack(incident: OpenIncident, journal: Incident, facts: MessageFacts) -> None:
    number = sum(item.channel == "slack" for item in journal.announcements) + 1
    name = MessageName.announcement(facts.state, number)
    told = await say(incident, journal, internal_message(facts), name=name, authority=ANNOUNCE)
    if told.outcome in SETTLED:
        event = StatusAnnounced(
            channel="slack",
            state=facts.state,
            reference=str(told.receipt.get("ts", "")),
            next_update_at=facts.next_update,
        )
        await incident.record(event, key=event.key_of(name))


async def say(
    incident: OpenIncident,
    journal: Incident,
    text: SlackText,
    *,
    name: MessageName,
    authority: Authority,
    broadcast: bool = False,
) -> Effect:
    """Post into the incident's thread, which its first message opens; `broadcast` also tells the channel.

    A new message is not looked for before it is sent, only afterwards if its answer is lost.

    Raises:
        ValueError: this environment has no Slack block.
    """
    slack = incident.environment.slack
    if slack is None:
        raise ValueError("no Slack block in this environment")
    thread = _thread(journal)
    effect = message_effect(incident, "slack", name, said(text), authority)
    if journal.dry_run:
        text = SlackText(f"{REHEARSAL}\n{text}")
    perhaps_there = effect.id in journal.effects

    async def observe() -> Receipt | None:
        if not perhaps_there:
            return None
        found = await slack.find(effect.id, oldest=journal.opened_at, thread_ts=thread)
        return {"channel": found.channel, "ts": found.ts} if found else None

    async def act() -> Receipt:
        nonlocal perhaps_there
        perhaps_there = True
        sent = await slack.post(text, effect_id=effect.id, thread_ts=thread, broadcast=broadcast)
        return {"channel": sent.channel, "ts": sent.ts}

    return await tell(incident, effect, observe=observe, act=act)


async def _page(
    incident: OpenIncident,
    journal: Incident,
    summary: str,
    authority: Authority,
    name: MessageName,
    *,
    commands: tuple[str, ...] = (),
) -> Effect | None:
    """Call a person; `None` without a pager, and in a rehearsal.

    Each call is an alert of its own: PagerDuty adds what comes under an open alert's key to that alert, and
    wakes nobody up again.
    """
    pager = incident.environment.pager
    if pager is None or journal.dry_run:
        return None
    severity = journal.severity.severity if journal.severity else Severity.P2
    effect = message_effect(incident, "pager", name, summary, authority)
    by_hand = {"by hand": "\n".join(commands)} if commands else {}

    async def act() -> Receipt:
        await pager.trigger(
            _deduplication_key(effect),
            summary,
            severity,
            journal.service,
            details={"incident": incident.id, "alert": journal.alert.name, **by_hand},
            link=incident_link(journal),
        )
        return {"dedup_key": _deduplication_key(effect)}

    return await tell(incident, effect, observe=_never_seen, act=act)


def _deduplication_key(call: Effect) -> str:
    """A repeated call has the same key; a call of an earlier version may have had another than its id."""
    return str(call.receipt.get("dedup_key", call.id))


def _thread(journal: Incident) -> str | None:
    """The timestamp of the incident's first message in Slack."""
    sent = (effect.receipt.get("ts") for effect in journal.effects.values() if effect.kind == "slack")
    return next((str(ts) for ts in sent if ts), None)


async def _never_seen() -> Receipt | None:
    """PagerDuty's events cannot be read back; its deduplication key makes a repeat harmless."""
    return None
