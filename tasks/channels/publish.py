"""Publish: the public is told on our status page, in one incident of ours, each state once."""

from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.transport.errors import Refused, Unreadable
from runbook.channels.messages import MessageFacts, external_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.events import StatusAnnounced
from runbook.incidents.incident import Incident, State
from tasks.channels.message_effects import in_doubt, message_effect, tell
from tasks.effects import SETTLED, Receipt
from tasks.incident import OpenIncident

PUBLISH = Authority.policy("publish_from")


async def publish(incident: OpenIncident, journal: Incident, facts: MessageFacts) -> None:
    """Create the public incident with the first announcement, and update it with the others."""
    publisher = incident.environment.status_page_publisher
    if publisher is None:
        return
    message, state = external_message(facts), facts.state
    name = MessageName.announcement(state)
    effect = message_effect(incident, "status-page", name, f"{message.title}: {state}", PUBLISH)
    sent = False

    async def observe() -> Receipt | None:
        reference = await _public_incident(journal, publisher, other_than=effect.id)
        if reference is None and sent and publisher.creates_once:  # it is created once more instead
            raise Unreadable("status page", "it does not show whose an incident is", "Look at the page")
        if reference is None:
            found = await publisher.find_incident(effect.id)
            return {"incident": found.id} if found else None
        posted = await publisher.find_update(reference, effect_id=effect.id, state=state)
        return {"incident": reference, "update": posted.id} if posted else None

    async def act() -> Receipt:
        nonlocal sent
        reference = await _public_incident(journal, publisher, other_than=effect.id)
        if reference is None:
            others = [it.id for it in in_doubt(journal, "status-page") if it.id != effect.id]
            perhaps = next(iter(others), None) if publisher.creates_once else None
            if state is State.RESOLVED and perhaps is None:
                raise Refused(
                    "status page", "it shows no incident of ours to be resolved", "Look at the page"
                )
            sent = True
            created = await publisher.create_incident(
                message.title, message.body, state, effect_id=perhaps or effect.id
            )
            if perhaps is None or created.status == state.lower():
                return {"incident": created.id}
            reference = created.id  # it was there already
        posted = await publisher.post_update(reference, message.body, state, effect_id=effect.id)
        return {"incident": reference, "update": posted.id}

    settled = await tell(incident, effect, observe=observe, act=act)
    if settled.outcome in SETTLED:
        published = str(settled.receipt.get("incident", ""))
        event = StatusAnnounced(channel="status-page", state=state, reference=published)
        await incident.record(event, key=event.key_of(name))


async def _public_incident(
    journal: Incident, publisher: StatusPagePublisher, *, other_than: str
) -> str | None:
    """The public incident to update: the announced one, or one whose publication nobody could see.

    Raises:
        OutsideError: the page cannot be asked; publishing another incident might be one too many.
    """
    for item in journal.announcements:
        if item.channel == "status-page":
            return item.reference
    for effect in in_doubt(journal, "status-page"):
        if effect.id != other_than and (found := await publisher.find_incident(effect.id)):
            return found.id
    return None
