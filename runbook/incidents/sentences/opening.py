"""The opening of an incident, in sentences."""

from runbook.channels.wording import edit_words
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.IncidentOpened) -> str:
    again = f", again after {event.recurrence_of}" if event.recurrence_of else ""
    what = "Rehearsal" if event.dry_run else "Incident"
    return f"{what} opened by {event.alert.source}: {event.alert.name} ({event.alert.summary}){again}"


@sentence.register
def _(event: e.PolicyNoted) -> str:
    return f"Policy recorded, which the previous release did not do: {event.permissions.digest[:12]}"


@sentence.register
def _(event: e.PolicyChanged) -> str:
    return f"Policy changed: {'; '.join(map(edit_words, event.changes))}"


@sentence.register
def _(event: e.MaintenanceNoted) -> str:
    until = f" until {event.until:%Y-%m-%d %H:%M} UTC" if event.until else ""
    paging = "; nobody is paged for its opening" if event.paging_suppressed else ""
    return f"Known maintenance ({event.source}): {event.title}{until}{paging}"
