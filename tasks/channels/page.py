"""Page a person: for an opening that is severe, and where the runbook cannot go on by itself.

A page is an effect like any other: one for each reason, sent again only where it did not get through.
"""

from functools import partial

from blocks.channels.channel import PagingChannel, Post, Receipt
from runbook.channels.acknowledging import AcknowledgedPage
from runbook.channels.messages import Page, escalation_message
from runbook.channels.untold import key_of, told_nobody
from runbook.checks.again import told_next_look
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import SUCCEEDED, Authority, Effect
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import (
    DecisionMade,
    EffectSettled,
    IncidentAcknowledged,
    IncidentEscalated,
    IncidentReopened,
    MaintenanceNoted,
)
from runbook.incidents.incident import Incident
from runbook.incidents.open_pages import open_pages
from runbook.policy.policy import Policy
from tasks.channels.deliver import deliver, got_through, say
from tasks.channels.links import incident_link
from tasks.incident import OpenIncident, now

PAGE = Authority.policy("page_from")
ESCALATE = Authority.policy("escalate")
NO_DECISION = "there are not enough facts for a decision; nothing was changed"


async def page_on_opening(incident: OpenIncident) -> None:
    """Page the on-call person where the severity asks for it and no known maintenance forbids it.

    Nobody is paged once the incident has ended.
    """
    journal = await incident.read()
    noted = journal.last(MaintenanceNoted)
    if journal.resolved or (noted is not None and noted.paging_suppressed):
        return
    severity = journal.severity.severity if journal.severity else Severity.P2
    policy = incident.policy_in_force(journal)
    if policy.pages(severity):
        summary = f"{severity} {journal.service}: {journal.alert.summary}"
        if journal.decision is not None and journal.decision.verdict is Verdict.UNKNOWN:
            summary = f"{summary}; {NO_DECISION}; {told_next_look(journal, policy=policy, now=now())}"
        await _page(incident, journal, summary, PAGE, _name_of_page(journal, severity, policy))


def _name_of_page(journal: Incident, severity: Severity, policy: Policy) -> MessageName:
    """The page for the opening, or the reopening; another one where the severity has risen since it."""
    decided = [it.event for it in journal.since(IncidentReopened) if isinstance(it.event, DecisionMade)]
    paged = [rank for event in decided if policy.pages(rank := event.decision.severity.severity)]
    if paged and severity.rank < paged[0].rank:
        return MessageName.raised(severity, journal.reopened)
    return MessageName.reopening(journal.reopened) if journal.reopened else MessageName.opening()


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
    """Page a person because the runbook cannot go on by itself, by the pager and in the channel.

    `what` the page is for tells one page from another: asked for again in other words, nobody is paged again
    and the words stay. `commands` are what they may type by hand; `about` is the id of the action that it is
    about; `in_doubt` are ids of changes that may or may not have been made. A page that `outlasts` the
    incident is not ended by its recovery. After a reopening the same pages again, unless that page was never
    ended. A pager whose page for the severity has said that there is no decision pages nobody for that again.
    Returns whether the page got through everywhere; what did not is tried again when the same is asked for
    again, and where nobody could be told, the journal says so. In a rehearsal nobody is paged: the channel is
    told.
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
        reopened=journal.reopened,
    )
    if _number(journal, wanted) is None:
        await incident.record_once(wanted)
        journal = await incident.read()
    number = _number(journal, wanted)
    if number is None:  # it was written above; this tells the type checker
        raise LookupError(f"no page for {what}")
    event, name = journal.events(IncidentEscalated)[number - 1], MessageName.escalation(number)
    summary = f"{journal.service}: {event.because}"
    told = await _page(incident, journal, summary, ESCALATE, name, commands=event.commands, what=what)
    message = escalation_message(event.because, commands=event.commands, link=incident_link(journal))
    told += await say(incident, journal, message, name=name, authority=ESCALATE, loud=True)
    nobody = None if journal.dry_run else told_nobody(incident.id, number, summary, told, ESCALATE)
    if nobody is not None:
        await incident.record(EffectSettled(effect=nobody), key=key_of(number, nobody))
    return got_through(told) or (journal.dry_run and not told)


def _number(journal: Incident, wanted: IncidentEscalated) -> int | None:
    """The number, from 1, of the page that was sent for the same and that no earlier end has ended."""
    going_on = open_pages(journal) if journal.reopened else ()
    pages = enumerate(journal.events(IncidentEscalated), 1)
    same = [(number, event) for number, event in pages if event.is_for(wanted)]
    now_on = (number for number, event in same if event.reopened == journal.reopened or number in going_on)
    return next(now_on, None)


async def resolve_page(incident: OpenIncident) -> None:
    """Resolve the pages that were sent for this incident, also those in doubt.

    A page about something that the recovery has not resolved stays open, see `runbook.incidents.open_pages`.
    """
    journal = await incident.read()
    going_on = open_pages(journal)
    for channel in incident.environment.paging_channels:
        for page in journal.messages_in(channel.kind):
            if page.message.is_page and page.message.escalation_number not in going_on:
                await _end_page(incident, journal, channel, page)


async def _end_page(incident: OpenIncident, journal: Incident, channel: PagingChannel, page: Effect) -> None:
    async def end(_: Post) -> Receipt:
        return await channel.end_page(page.id, page.receipt)

    summary = f"resolve the page: {page.summary}"
    await deliver(incident, journal, channel, end, name=page.message.end, summary=summary, authority=ESCALATE)


async def acknowledge_page(incident: OpenIncident, due: AcknowledgedPage) -> IncidentAcknowledged | None:
    """Acknowledge a page at its pager. `None` where it did not get through, and is due again.

    Nothing is sent once the incident has ended, as that ends the page.
    """
    journal = await incident.read()
    channel = next((it for it in incident.environment.paging_channels if it.kind == due.page.kind), None)
    if journal.resolved or channel is None:
        return None

    async def acknowledge(_: Post) -> Receipt:
        return await channel.acknowledge_page(due.page.id, due.page.receipt)

    name, summary = due.page.message.acknowledgement, f"acknowledge the page: {due.page.summary}"
    effect = await deliver(
        incident, journal, channel, acknowledge, name=name, summary=summary, authority=ESCALATE
    )
    return due.act if got_through([effect]) else None


async def _page(
    incident: OpenIncident,
    journal: Incident,
    summary: str,
    authority: Authority,
    name: MessageName,
    *,
    commands: tuple[str, ...] = (),
    what: Escalation | None = None,
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
    no_decision = what is not None and what.kind is EscalationKind.NO_DECISION
    return [
        (_said_that_there_is_none(journal, channel) if no_decision else None)
        or await deliver(
            incident,
            journal,
            channel,
            partial(channel.page, page),
            name=name,
            summary=summary,
            authority=authority,
        )
        for channel in incident.environment.paging_channels
    ]


def _said_that_there_is_none(journal: Incident, channel: PagingChannel) -> Effect | None:
    """The page for the severity that has got through while there was no decision, if one has."""
    verdict: Verdict | None = None
    for item in journal.since(IncidentReopened):
        event = item.event
        if isinstance(event, DecisionMade):
            verdict = event.decision.verdict
        if verdict is not Verdict.UNKNOWN or not isinstance(event, EffectSettled):
            continue
        page = event.effect
        if page.kind == channel.kind and page.message.is_for_severity and page.outcome in SUCCEEDED:
            return page
    return None
