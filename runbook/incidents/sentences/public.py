"""What was seen on the public status page, in sentences."""

from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.PublicIncidentSeen) -> str:
    return f"A person's incident of the same title is open: {event.link or event.reference}; it is left alone"


@sentence.register
def _(event: e.PublicTextRefused) -> str:
    return f"Not published in {event.channel} ({event.state}): {'; '.join(event.because)}"


@sentence.register
def _(event: e.PublicUpdateSeen) -> str:
    return f"A person wrote on the public page ({event.status}): {event.text}"
