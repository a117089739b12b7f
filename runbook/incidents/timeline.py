"""The journal as a timeline of sentences."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from runbook.channels.local_time import span
from runbook.incidents import events as e
from runbook.incidents.effects import SUCCEEDED
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from runbook.value import Value

MACHINERY = (
    e.PolicyNoted,
    e.RunStarted,
    e.RunContinued,
    e.TriageStarted,
    e.EffectIntended,
    e.ArtifactPublished,
)
"""Events that tell how the runbook works rather than what happened; an intent without an outcome is told."""


_AT_ONCE = timedelta(minutes=1)
"""A note that was written within this of what it tells was written at that time."""


class Entry(Value):
    """A line of the timeline; `at` (aware UTC) is when it happened."""

    at: datetime
    sentence: str


def timeline(incident: Incident, *, machinery: bool = True) -> tuple[Entry, ...]:
    """The journal in sentences, oldest first; without the machinery for readers of a post-mortem.

    An announcement is one line, although the journal has its effect and the announcement itself. A note that
    was written later stands where it happened, and says so.
    """
    recorded = incident.journal if machinery else _what_happened(incident)
    sent = _sent_announcements(incident)
    return tuple(
        Entry(at=happened_at(item), sentence=f"{sentence(item.event)}{written_later(item)}")
        for item in without_repeats(in_order(recorded))
        if item.event not in sent
    )


def without_repeats(journal: Iterable[e.Recorded]) -> list[e.Recorded]:
    """The journal with the last of each row of looks that found nothing new, so that these do not hide it."""
    kept: list[e.Recorded] = []
    for item in journal:
        if kept and _found_nothing(item) and _found_nothing(kept[-1]):
            kept.pop()
        kept.append(item)
    return kept


def _found_nothing(item: e.Recorded) -> bool:
    return isinstance(item.event, e.FactsChecked) and not item.event.changes


def happened_at(recorded: e.Recorded) -> datetime:
    """When it happened (aware UTC): as a note says, else when it was written."""
    event = recorded.event
    said = event.happened_at if isinstance(event, e.NoteAdded) else None
    return said or recorded.at


def written_later(recorded: e.Recorded) -> str:
    """What stands behind a note that was written a minute or more after it happened, else nothing."""
    later = recorded.at - happened_at(recorded)
    return f" (written {span(later)} later)" if later >= _AT_ONCE else ""


def in_order(journal: Iterable[e.Recorded]) -> list[e.Recorded]:
    """Events in the order in which they happened: the journal's, but for notes of an earlier time.

    All others keep their places, whatever the clocks say of those who wrote them.
    """
    ordered: list[e.Recorded] = []
    for item in journal:
        at = happened_at(item)
        later = (place for place, other in enumerate(ordered) if happened_at(other) > at)
        ordered.insert(next(later, len(ordered)) if at < item.at else len(ordered), item)
    return ordered


def _sent_announcements(incident: Incident) -> list[e.EffectSettled]:
    """The effects that a `StatusAnnounced` covers; one without it, after a crash, has its own line."""
    told: list[e.EffectSettled] = []
    waiting: dict[tuple[str, str], e.EffectSettled] = {}
    for item in incident.journal:
        event = item.event
        if isinstance(event, e.EffectSettled) and event.effect.outcome in SUCCEEDED:
            waiting[event.effect.kind, event.effect.message.announced_state] = event
        elif isinstance(event, e.StatusAnnounced):
            sent = waiting.pop((event.channel, event.state), None)
            told += [] if sent is None else [sent]
    return told


def _what_happened(incident: Incident) -> Iterable[e.Recorded]:
    effects = incident.effects
    for item in incident.journal:
        event = item.event
        left_open = isinstance(event, e.EffectIntended) and effects[event.effect.id].outcome is None
        if (left_open or not isinstance(event, MACHINERY)) and not _only_changed_a_message(event):
            yield item


def _only_changed_a_message(event: e.Event) -> bool:
    """Whether a message was changed where it stands, to show what another event tells."""
    if not isinstance(event, e.EffectSettled) or event.effect.message.edited is None:
        return False
    return event.effect.outcome in SUCCEEDED
