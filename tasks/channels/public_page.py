"""What other people write on our public status page: it is left alone, and the team is told of it."""

from prefect.logging import get_logger

from blocks.channels.channel import PublicPage
from blocks.logs import own_lines
from blocks.transport.errors import OutsideError
from runbook.channels.messages import MessageFacts, notice_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.events import PublicIncidentSeen
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from tasks.channels.deliver import say
from tasks.channels.links import incident_link
from tasks.incident import OpenIncident
from tasks.incidents import open_incidents

WATCH_PAGE = Authority.policy("watch_page")

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


async def tell_of_page(incident: OpenIncident) -> None:
    """Tell the team of each thing that was seen on the page, once."""
    journal = await incident.read()
    for event in journal.events(PublicIncidentSeen):
        message = notice_message(f"📣 {sentence(event)}", link=incident_link(journal))
        name = MessageName.seen_on_page(event.digest)
        await say(incident, journal, message, name=name, authority=WATCH_PAGE, attempts=ATTEMPTS)


async def _ours(incident: OpenIncident, channel: str) -> set[str]:
    """The entries of the page that the open incidents of this environment have made."""
    known: list[Incident] = [await incident.read(), *await open_incidents(incident.environment)]
    return {it.reference for journal in known for it in journal.announcements if it.channel == channel}
