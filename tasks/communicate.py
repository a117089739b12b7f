"""Communicate: the channel, the status page and the pager are told, each message exactly once.

A message is an effect like any other. What is announced is rendered when the effect is first tried; the
journal says who was told what and when.
"""

from prefect import task
from prefect.cache_policies import NO_CACHE

from runbook.effects import Authority, Effect
from runbook.events import IncidentEscalated, StatusAnnounced
from runbook.incident import Incident, State
from runbook.messages import MessageFacts, external_message, internal_message, message_facts
from runbook.severity import Severity
from runbook.verdict import Verdict
from tasks.effects import SETTLED, Observe, Receipt, carry_out
from tasks.incident import OpenIncident, now
from tasks.links import incident_link

ANNOUNCE = Authority.policy("announce")
PUBLISH = Authority.policy("publish_from")
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
    if incident.policy.announce and incident.environment.slack and not _announced(journal, "slack", state):
        await _post_to_slack(incident, journal, facts)
    if _is_public(incident, journal) and not _announced(journal, "status-page", state):
        await _publish(incident, journal, facts)


@task(name="update", task_run_name="update", cache_policy=NO_CACHE)
async def update(incident: OpenIncident) -> None:
    """Keep the promise of a next update: say again where things stand, once the promised time has come."""
    journal = await incident.read()
    promised = [item.next_update_at for item in journal.announcements if item.next_update_at]
    if promised and now() >= promised[-1] and incident.environment.slack:
        await _post_to_slack(incident, journal, _facts(incident, journal, journal.state))


@task(name="page", task_run_name="page", cache_policy=NO_CACHE)
async def page_on_opening(incident: OpenIncident) -> None:
    """Call the on-call person where the severity asks for it."""
    journal = await incident.read()
    severity = journal.severity.severity if journal.severity else Severity.P2
    if incident.policy.pages(severity):
        await _page(
            incident, journal, f"{severity} {journal.service}: {journal.alert.summary}", PAGE, "opened"
        )


@task(name="escalate", task_run_name="escalate", cache_policy=NO_CACHE)
async def escalate(incident: OpenIncident, because: str) -> None:
    """Call a person because the runbook cannot go on by itself, by the pager and in the channel."""
    journal = await incident.read()
    known = [event.because for event in journal.events(IncidentEscalated)]
    number = known.index(because) + 1 if because in known else len(known) + 1
    await incident.record(IncidentEscalated(because=because), key=f"escalated:{number}")
    await _page(incident, journal, f"{journal.service}: {because}", ESCALATE, f"escalated-{number}")
    if incident.environment.slack:
        text = f"☎️ A person is needed: {because}\n{incident_link(journal)}".strip()
        await _say(incident, journal, text, name=f"escalated-{number}", authority=ESCALATE)


@task(name="hand over", task_run_name="hand over", cache_policy=NO_CACHE)
async def hand_over(incident: OpenIncident, action_id: str, text: str) -> bool:
    """Send the text of a hand-off to the channel; true if it got there."""
    if not incident.environment.slack:
        return False
    journal = await incident.read()
    said = await _say(incident, journal, f"🙋 {text}", name=action_id, authority=ANNOUNCE)
    return said.outcome in SETTLED


@task(name="resolve page", task_run_name="resolve page", cache_policy=NO_CACHE)
async def resolve_page(incident: OpenIncident) -> None:
    """End the call that was made for this incident, if there was one."""
    pager = incident.environment.pager
    called = [item for item in (await incident.read()).effects.values() if item.kind == "pager"]
    if pager is None or not called:
        return

    async def act() -> Receipt:
        await pager.resolve(incident.id)
        return {"dedup_key": incident.id}

    effect = _message(incident, "pager", "page-resolved", "end the call", ESCALATE)
    await carry_out(incident, effect, observe=_never_seen, act=act)


def _facts(incident: OpenIncident, journal: Incident, state: State) -> MessageFacts:
    severity = journal.severity.severity if journal.severity else Severity.P2
    return message_facts(
        journal,
        state=state,
        now=now(),
        commander=incident.policy.incident_commander,
        update_interval=incident.policy.next_update_in(severity),
        time_zone=incident.policy.calendar.time_zone,
        link=incident_link(journal),
    )


def _announced(journal: Incident, channel: str, state: State) -> bool:
    """Whether the channel was told this state or a later one: a run that starts again does not go back."""
    order = list(State)
    told = [order.index(State(item.state)) for item in journal.announcements if item.channel == channel]
    return bool(told) and max(told) >= order.index(state)


def _is_public(incident: OpenIncident, journal: Incident) -> bool:
    """The public is told about impact that we are sure of; and then also how it ended."""
    if incident.environment.status_page_publisher is None:
        return False
    if any(item.channel == "status-page" for item in journal.announcements):
        return True
    decision, severity = journal.decision, journal.severity
    if decision is None or severity is None or journal.resolved:
        return False
    certain = decision.verdict not in (Verdict.UNKNOWN, Verdict.RESOLVED_OR_INTERMITTENT)
    return certain and incident.policy.publishes(severity.severity)


async def _post_to_slack(incident: OpenIncident, journal: Incident, facts: MessageFacts) -> None:
    number = sum(item.channel == "slack" for item in journal.announcements) + 1
    name = f"{facts.state.value.lower()}-{number}"
    said = await _say(incident, journal, internal_message(facts), name=name, authority=ANNOUNCE)
    if said.outcome in SETTLED:
        event = StatusAnnounced(
            channel="slack",
            state=facts.state,
            reference=str(said.receipt.get("ts", "")),
            next_update_at=facts.next_update,
        )
        await incident.record(event, key=f"announced:slack:{name}")


async def _say(
    incident: OpenIncident, journal: Incident, text: str, *, name: str, authority: Authority
) -> Effect:
    """Post into the incident's thread, which its first message opens."""
    slack = incident.environment.slack
    if slack is None:
        raise ValueError("no Slack block in this environment")
    thread = _thread(journal)
    effect = _message(incident, "slack", name, text.splitlines()[0][:200], authority)

    async def observe() -> Receipt | None:
        found = await slack.find(effect.id, oldest=journal.opened_at, thread_ts=thread)
        return {"channel": found.channel, "ts": found.ts} if found else None

    async def act() -> Receipt:
        sent = await slack.post(text, effect_id=effect.id, thread_ts=thread)
        return {"channel": sent.channel, "ts": sent.ts}

    return await carry_out(incident, effect, observe=_if_interrupted(journal, effect, observe), act=act)


async def _publish(incident: OpenIncident, journal: Incident, facts: MessageFacts) -> None:
    """Create the public incident with the first announcement, and update it with the others."""
    publisher = incident.environment.status_page_publisher
    if publisher is None:
        return
    message, state = external_message(facts), facts.state
    reference = next(
        (item.reference for item in journal.announcements if item.channel == "status-page"), None
    )
    effect = _message(incident, "status-page", state.value.lower(), f"{message.title}: {state}", PUBLISH)

    async def observe() -> Receipt | None:
        if reference is None:
            found = await publisher.find_incident(effect.id, name=message.title)
            return {"incident": found.id} if found else None
        posted = await publisher.find_update(
            reference, effect_id=effect.id, message=message.body, state=state
        )
        return {"incident": reference, "update": posted.id} if posted else None

    async def act() -> Receipt:
        if reference is None:
            created = await publisher.create_incident(message.title, message.body, state, effect_id=effect.id)
            return {"incident": created.id}
        posted = await publisher.post_update(reference, message.body, state, effect_id=effect.id)
        return {"incident": reference, "update": posted.id}

    settled = await carry_out(incident, effect, observe=observe, act=act)
    if settled.outcome in SETTLED:
        published = str(settled.receipt.get("incident", ""))
        event = StatusAnnounced(channel="status-page", state=state, reference=published)
        await incident.record(event, key=f"announced:status-page:{state.value.lower()}")


async def _page(
    incident: OpenIncident, journal: Incident, summary: str, authority: Authority, name: str
) -> None:
    """The incident's id is the deduplication key, so calling again adds to the same call."""
    pager = incident.environment.pager
    if pager is None:
        return
    severity = journal.severity.severity if journal.severity else Severity.P2

    async def act() -> Receipt:
        await pager.trigger(
            incident.id,
            summary,
            severity,
            journal.service,
            details={"incident": incident.id, "alert": journal.alert.name},
            link=incident_link(journal),
        )
        return {"dedup_key": incident.id}

    await carry_out(
        incident, _message(incident, "pager", name, summary, authority), observe=_never_seen, act=act
    )


def _message(incident: OpenIncident, kind: str, name: str, summary: str, authority: Authority) -> Effect:
    return Effect(
        id=f"{incident.id}/{kind}/{name}", kind=kind, target=kind, summary=summary, authority=authority
    )


def _thread(journal: Incident) -> str | None:
    """The timestamp of the incident's first message in Slack."""
    sent = (effect.receipt.get("ts") for effect in journal.effects.values() if effect.kind == "slack")
    return next((str(ts) for ts in sent if ts), None)


async def _never_seen() -> Receipt | None:
    """PagerDuty's events cannot be read back; its deduplication key makes a repeat harmless."""
    return None


def _if_interrupted(journal: Incident, effect: Effect, observe: Observe) -> Observe:
    """A new message cannot be there yet; only an interrupted or failed one is looked for."""
    return observe if effect.id in journal.effects else _never_seen
