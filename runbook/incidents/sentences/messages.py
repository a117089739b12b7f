"""What people were told, and what they noted, in sentences."""

from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.StatusAnnounced) -> str:
    return f"Told {event.channel}: {event.state}"


@sentence.register
def _(event: e.IncidentEscalated) -> str:
    commands = f". By hand: {'; '.join(event.commands)}" if event.commands else ""
    called = "Rehearsal, nobody was called; otherwise a person" if event.rehearsed else "A person was called"
    return f"{called}: {event.because}{commands}"


@sentence.register
def _(event: e.NoteAdded) -> str:
    return f"{event.by} noted: {event.text}"
