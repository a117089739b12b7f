"""Who could not be told: a channel that takes no messages, and escalations that reached nobody at all.

The latter is journalled like a message that failed, to a channel that does not exist.
"""

from collections.abc import Sequence

from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import SUCCEEDED, Authority, Effect, EffectOutcome
from runbook.incidents.events import EffectSettled, IncidentEscalated, is_act_of_a_person
from runbook.incidents.incident import Incident
from runbook.value import Value

NOBODY = "nobody"
"""The kind of the effect: where others name the channel."""

UNTOLD_KEYS = "untold:"
"""How the keys begin under which that is journalled."""

NO_CHANNEL = "no pager and no channel is configured"


class Untold(Value):
    """What a person is needed for, and why nobody knows it."""

    because: str
    why: str

    @property
    def sentence(self) -> str:
        """Both, for people."""
        return f"Nobody could be told: {self.why}. A person is needed: {self.because}"


def told_nobody(
    incident_id: str, number: int, summary: str, tried: Sequence[Effect], authority: Authority
) -> Effect | None:
    """What the journal says where nobody could be told of that escalation; None where somebody was, perhaps.

    `tried` are the messages about it, each with its outcome.
    """
    if any(effect.outcome in SUCCEEDED or effect.in_doubt for effect in tried):
        return None
    return Effect(
        id=EffectId.of_message(incident_id, NOBODY, MessageName.escalation(number)),
        kind=NOBODY,
        target=NOBODY,
        summary=summary,
        authority=authority,
        outcome=EffectOutcome.FAILED,
        detail=_why([effect.kind for effect in tried]),
    )


def key_of(number: int, nobody: Effect) -> str:
    """The key of the event: once for an escalation and a reason."""
    return f"{UNTOLD_KEYS}{number}:{nobody.detail}"


def untold(incident: Incident) -> tuple[Untold, ...]:
    """The escalations of which nobody could be told, oldest first, until a person has done something."""
    found: list[Untold] = []
    number = 0
    for item in incident.journal:
        if is_act_of_a_person(item.event):
            found.clear()  # whoever acts knows of the incident
        if isinstance(item.event, IncidentEscalated):
            number += 1
            if not item.event.rehearsed and (why := untold_because(incident, number)):
                found.append(Untold(because=item.event.because, why=why))
    return tuple(found)


def failing_channels(incident: Incident, *, besides: str) -> tuple[str, ...]:
    """A sentence for each other channel whose newest message did not reach everybody, or nobody can tell."""
    newest: dict[str, Effect] = {}
    for event in incident.events(EffectSettled):
        effect = event.effect
        if not effect.is_change and not effect.message.is_file and effect.kind not in (NOBODY, besides):
            newest[effect.kind] = effect
    return tuple(
        _failing(effect)
        for effect in newest.values()
        if effect.outcome not in SUCCEEDED or effect.not_reached
    )


def _failing(effect: Effect) -> str:
    what = "does not take messages"
    if effect.not_reached:
        what = "takes messages for some of its readers alone"
    elif effect.in_doubt:
        what = "may or may not have taken the last message"
    return f"{effect.kind.replace('_', ' ').replace('-', ' ')} {what}: {effect.detail}"


def untold_because(incident: Incident, number: int) -> str:
    """Why nobody was told of that escalation; empty where somebody was, perhaps."""
    about = [effect for effect in incident.effects.values() if effect.message.escalation_number == number]
    tried = [effect for effect in about if effect.kind != NOBODY]
    if any(effect.outcome in SUCCEEDED or effect.in_doubt for effect in tried):
        return ""
    noted = [effect.detail for effect in about if effect.kind == NOBODY]
    return noted[-1] if noted else _why([effect.kind for effect in tried])


def _why(kinds: Sequence[str]) -> str:
    if not kinds:
        return NO_CHANNEL
    return f"the message was not taken by {' and '.join(dict.fromkeys(kinds))}"
