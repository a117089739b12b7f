"""What people were told, in sentences."""

from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.StatusAnnounced) -> str:
    return f"Announced in {event.channel}: {event.state}"


@sentence.register
def _(event: e.IncidentEscalated) -> str:
    commands = f". By hand: {'; '.join(event.commands)}" if event.commands else ""
    needed = (
        "Rehearsal: nobody was paged, but somebody would have been"
        if event.rehearsed
        else "A person is needed"  # who was told of it, the messages say that follow
    )
    return f"{needed}: {event.because}{commands}"


@sentence.register
def _(event: e.ClockReminded) -> str:
    what = _CLOCKS[event.clock]
    if event.missed:
        return f"A person was paged: {what} was due at {event.due_at:%Y-%m-%d %H:%M} UTC"
    return f"Reminded: {what} is due at {event.due_at:%Y-%m-%d %H:%M} UTC"


_CLOCKS = {
    e.ClockName.RESPONSE: "the first act of a person",
    e.ClockName.TEAM_UPDATE: "an update for the team",
    e.ClockName.PUBLIC_UPDATE: "an update for the public",
    e.ClockName.PUBLIC_TEXT: "an answer to a text for the public",
}
