"""The journal as a timeline of sentences."""

from collections.abc import Iterable
from datetime import datetime

from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
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

_SENT = (EffectOutcome.APPLIED, EffectOutcome.ALREADY_IN_PLACE)


class Entry(Value):
    """A line of the timeline; `at` is aware UTC."""

    at: datetime
    sentence: str


def timeline(incident: Incident, *, machinery: bool = True) -> tuple[Entry, ...]:
    """The journal in sentences, oldest first; without the machinery for readers of a post-mortem.

    An announcement is one line, although the journal has its effect and the announcement itself.
    """
    recorded = incident.journal if machinery else _what_happened(incident)
    sent = _sent_announcements(incident)
    return tuple(
        Entry(at=item.at, sentence=sentence(item.event)) for item in recorded if item.event not in sent
    )


def _sent_announcements(incident: Incident) -> list[e.EffectSettled]:
    """The effects that a `StatusAnnounced` covers; one without it, after a crash, has its own line."""
    told: list[e.EffectSettled] = []
    waiting: dict[tuple[str, str], e.EffectSettled] = {}
    for item in incident.journal:
        event = item.event
        if isinstance(event, e.EffectSettled) and event.effect.outcome in _SENT:
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
        if left_open or not isinstance(event, MACHINERY):
            yield item
