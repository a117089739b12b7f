"""Our public status page: what may not be published, and what other people write there, the team is told."""

from prefect.logging import get_logger

from blocks.channels.channel import Announcer, PublicPage
from blocks.logs import own_lines
from blocks.transport.errors import OutsideError
from runbook.channels.messages import ExternalMessage, MessageFacts, external_message, notice_message
from runbook.channels.public_incident import public_announcements
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.events import PublicIncidentSeen, PublicTextRefused, PublicUpdateSeen
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from runbook.public.lint import lint_message
from runbook.public.refreshing import STAYS_OPEN, has_public_entry, left_open
from runbook.public.written import others
from tasks.channels.deliver import say
from tasks.channels.links import incident_link
from tasks.incident import OpenIncident
from tasks.incidents import open_incidents

WATCH_PAGE = Authority.policy("watch_page")

EDIT = "Edit `public_title` or the template, or write on the status page by hand"
"""What the team is asked for where a text is not published."""

ATTEMPTS = 3
"""How often each channel is told of one thing that was seen; the timeline has it in any case."""

log = own_lines(get_logger("runbook"))


async def note_namesakes(incident: OpenIncident, channel: PublicPage, facts: MessageFacts) -> None:
    """Note and tell once that somebody else's incident of the same title is open; it stays as it is.

    What the page cannot be asked for is looked for again with the next announcement.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    journal = await incident.read()
    if any(effect.in_doubt for effect in journal.messages_in(channel.kind)):
        return  # one of them may be ours
    try:
        found = await channel.namesakes(facts)
    except OutsideError as error:
        log.warning("Nobody can tell who else has written on the %s: %s", channel.kind, error)
        return
    ours = await _ours(incident, channel.kind) if found else set()
    for entry in found:
        if entry.id not in ours:
            event = PublicIncidentSeen(
                channel=channel.kind, reference=entry.id, title=entry.title, link=entry.link
            )
            await incident.record_once(event)
    await tell_of_page(incident)


async def read_public_page(incident: OpenIncident) -> list[PublicUpdateSeen]:
    """Note and tell, once, what people have written in the incident's own public entry; returns what is new.

    What the runbook has written is known by its words and by the ids that the page gave for it. Nothing is
    noted while it is in doubt whether something of that was published.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    journal, found = await incident.read(), []
    for channel in incident.environment.announcers:
        if not isinstance(channel, PublicPage) or not has_public_entry(journal, channel.kind):
            continue
        reference = public_announcements(journal, channel.kind, channel.reference)[-1].reference
        try:
            written = await channel.written(reference)
        except OutsideError as error:
            log.warning("Nobody can tell what was written on the %s: %s", channel.kind, error)
            continue
        for update in others(await incident.read(), channel.kind, written):
            event = PublicUpdateSeen(
                channel=channel.kind, reference=update.id, status=update.status, text=update.text
            )
            if event not in journal.events(PublicUpdateSeen):
                await incident.record_once(event)
                found.append(event)
    await tell_of_page(incident)
    return found


def public_text(channel: Announcer, facts: MessageFacts) -> ExternalMessage:
    """What the channel would publish of these facts."""
    return channel.public_text(facts) if isinstance(channel, PublicPage) else external_message(facts)


async def may_be_published(
    incident: OpenIncident, journal: Incident, channel: Announcer, facts: MessageFacts
) -> bool:
    """Whether the text says nothing that no public text may say; else it is noted, and the team is told once.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    message = public_text(channel, facts)
    found = lint_message(message.title, message.body, never_say=incident.policy.public.never_say)
    if not found:
        return True
    refused = PublicTextRefused(
        channel=channel.kind,
        state=facts.state,
        because=tuple(it.sentence for it in found),
        reopened=journal.reopened,
    )
    await incident.record_once(refused)
    await tell_of_page(incident)
    return False


async def tell_of_page(incident: OpenIncident) -> None:
    """Tell the team, once, of what was seen on the page, and of the texts that are not published."""
    journal = await incident.read()
    for event in journal.events(PublicIncidentSeen):
        await _tell(incident, journal, f"📣 {sentence(event)}", MessageName.seen_on_page(event.digest))
    for update in journal.events(PublicUpdateSeen):
        await _tell(incident, journal, f"📣 {sentence(update)}", MessageName.seen_on_page(update.digest))
    for refused in journal.events(PublicTextRefused):
        stays = f". {STAYS_OPEN}" if refused in left_open(journal) else ""
        text = f"📣 {sentence(refused)}. {EDIT}{stays}"
        await _tell(incident, journal, text, MessageName.refused_public(refused.digest))


async def _tell(incident: OpenIncident, journal: Incident, text: str, name: MessageName) -> None:
    message = notice_message(text, link=incident_link(journal))
    await say(incident, journal, message, name=name, authority=WATCH_PAGE, attempts=ATTEMPTS)


async def _ours(incident: OpenIncident, channel: str) -> set[str]:
    """The entries of the page that the open incidents of this environment have made."""
    known: list[Incident] = [await incident.read(), *await open_incidents(incident.environment)]
    return {it.reference for journal in known for it in journal.announcements if it.channel == channel}
