"""Which updates of our public entry the runbook has not written."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from runbook.incidents.events import EffectIntended
from runbook.incidents.incident import Incident
from runbook.public.texts import text_digest

CLOCKS_APART = timedelta(minutes=5)
"""How far the page's clock may be behind ours."""


class Update(Protocol):
    """An update as the page shows it; `at` is aware UTC."""

    @property
    def id(self) -> str:
        """Its id there."""

    @property
    def text(self) -> str:
        """Its words."""

    @property
    def at(self) -> datetime | None:
        """When it was written."""


U = TypeVar("U", bound=Update)


def others(incident: Incident, channel: str, written: Iterable[U]) -> list[U]:
    """The updates that are somebody else's, in their order; none while something of ours is in doubt.

    Releases before this one have journalled no digests: what was written before the first one is not judged.
    """
    intended = [
        item
        for item in incident.journal
        if isinstance(item.event, EffectIntended)
        and item.event.effect.kind == channel
        and item.event.effect.digest
    ]
    sent = incident.messages_in(channel)
    if not intended or any(effect.in_doubt for effect in sent):
        return []
    since = min(item.at for item in intended) - CLOCKS_APART
    texts = {item.event.effect.digest for item in intended if isinstance(item.event, EffectIntended)}
    ids = {str(effect.receipt.get("update")) for effect in sent}
    return [
        update
        for update in written
        if text_digest(update.text) not in texts
        and update.id not in ids
        and (update.at is None or update.at >= since)
    ]
