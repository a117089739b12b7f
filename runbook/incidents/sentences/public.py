"""The public status page, in sentences."""

from runbook.approvals.identity import named
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence
from runbook.outside_text import one_line


@sentence.register
def _(event: e.PublicIncidentSeen) -> str:
    return f"A person's incident of the same title is open: {event.link or event.reference}; it is left alone"


@sentence.register
def _(event: e.PublicTextRefused) -> str:
    return f"Not published in {event.channel} ({event.state}): {'; '.join(event.because)}"


@sentence.register
def _(event: e.PublicTextProposed) -> str:
    return f"A text for {event.channel} ({event.state}) waits for a yes: {one_line(event.body)}"


@sentence.register
def _(event: e.PublicTextApproved) -> str:
    title = f" under the title “{event.title}”" if event.title else ""
    words = f" in other words: {one_line(event.body)}" if event.body else ""
    return f"{named(event.by, event.identity)} lets the public text be published{title}{words}"


@sentence.register
def _(event: e.PublicTextWithheld) -> str:
    return f"{named(event.by, event.identity)} does not let the public text be published: {event.because}"


@sentence.register
def _(event: e.PublicUpdateSeen) -> str:
    return f"A person wrote on the public page ({event.status}): {event.text}"
