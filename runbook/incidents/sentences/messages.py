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
