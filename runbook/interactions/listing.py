"""Incidents in a line each, for somebody who asks in a chat."""

from collections.abc import Sequence

from runbook.channels.wording import VERDICT_TITLES, count, one_line
from runbook.incidents.incident import Incident
from runbook.incidents.people import lead_of

MOST_LISTED = 20


def incident_line(incident: Incident) -> str:
    """`inc-…: PostHogErrorsHigh (posthog-integration), P2, waiting; led by ana; asks: …`."""
    severity, decision, gate = incident.severity, incident.decision, incident.pending_gate
    known = [
        severity.severity.value if severity else "no severity yet",
        VERDICT_TITLES[decision.verdict] if decision else "no verdict yet",
        incident.state.value,
    ]
    lead = lead_of(incident)
    more = [
        f"led by {lead}" if lead else "nobody leads it",
        f"asks: {one_line(gate.question)}" if gate else "waits for a person" if incident.pause else "",
    ]
    name = f"{incident.id}: {incident.alert.name} ({incident.service})"
    return "; ".join(filter(None, (f"{name}, {', '.join(known)}", *more)))


def open_incidents_lines(incidents: Sequence[Incident]) -> list[str]:
    """The open incidents, newest first, with a line that says how many."""
    if not incidents:
        return ["No incident is open."]
    left_out = len(incidents) - MOST_LISTED
    lines = [f"{count(len(incidents), 'incident')} open:", *map(incident_line, incidents[:MOST_LISTED])]
    return [*lines, f"and {left_out} more"] if left_out > 0 else lines
