"""What is journalled of our status page: the public incident, and what we have set its components to."""

from blocks.channels.channel import Post, Receipt
from blocks.channels.publishing import PublishedIncident, PublishedUpdate
from runbook.incidents.effects import TITLE_KEPT

KEPT = "the entry keeps its title, since incident.io takes none in an update: change it on the page"


def receipt_of(incident_id: str, made: PublishedIncident | PublishedUpdate) -> Receipt:
    """What is journalled: where it stands, and which components were set from what to what."""
    receipt: Receipt = {"incident": incident_id}
    if isinstance(made, PublishedUpdate):
        receipt["update"] = made.id
        if made.title_kept:
            receipt[TITLE_KEPT] = KEPT
    if made.components:
        receipt["components"] = [it.model_dump() for it in made.components]
    return receipt


def held_by(post: Post) -> dict[str, str]:
    """What we have set each component to, as far as the journal has it."""
    held: dict[str, str] = {}
    for effect in post.earlier:
        if effect.receipt.get("incident") != post.announced:
            continue  # of an entry that is over
        listed = effect.receipt.get("components")
        changes = [it for it in listed if isinstance(it, dict)] if isinstance(listed, list) else []
        held |= {str(it.get("id")): str(it.get("set")) for it in changes}
    return held
