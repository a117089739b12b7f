"""Messages as effects: made once each, looked for before they are sent again."""

from blocks.transport.errors import Conflict
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import Authority, Effect
from runbook.incidents.incident import Incident
from tasks.effects import Act, Observe, carry_out
from tasks.incident import OpenIncident


def message_effect(
    incident: OpenIncident, kind: str, name: MessageName, summary: str, authority: Authority
) -> Effect:
    """The effect of a message in a channel: `kind` is the channel, `name` is unique within it."""
    return Effect(
        id=EffectId.of_message(incident.id, kind, name),
        kind=kind,
        target=kind,
        summary=summary,
        authority=authority,
    )


async def tell(incident: OpenIncident, effect: Effect, *, observe: Observe, act: Act) -> Effect:
    """Carry a message out. One that meets a conflict is told to nobody, and is no reason to end a run."""
    try:
        return await carry_out(incident, effect, observe=observe, act=act)
    except Conflict:
        return (await incident.read()).effects[effect.id]


def in_doubt(journal: Incident, channel: str) -> list[Effect]:
    """What the channel was to be told, and nobody knows whether it was."""
    return [effect for effect in journal.messages_in(channel) if effect.in_doubt]
