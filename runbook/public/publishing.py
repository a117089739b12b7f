"""Whether the public is told of an incident at all, by its policy and by what is known for sure."""

from runbook.channels.public_incident import public_announcements
from runbook.channels.told_state import forced_state
from runbook.decision.verdict import Verdict
from runbook.incidents.events import DecisionMade, IncidentReopened
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy


def is_public(incident: Incident, channel: str, policy: Policy) -> bool:
    """The public is told about impact that we are sure of; and then, or if it may know, also how it ended.

    A person who says the state before it is proved is sure of it.

    Of a rehearsal it is never told.
    """
    if incident.dry_run:
        return False
    if public_announcements(incident, channel):
        return True
    if any(effect.in_doubt for effect in incident.messages_in(channel)):
        return True
    decision, severity = incident.decision, incident.severity
    if decision is None or severity is None or incident.resolved:
        return False
    if not any(isinstance(item.event, DecisionMade) for item in incident.since(IncidentReopened)):
        return False  # what was found before says nothing of this time
    certain = forced_state(incident, policy) is not None or decision.verdict not in (
        Verdict.UNKNOWN,
        Verdict.RESOLVED_OR_INTERMITTENT,
    )
    return certain and policy_in_force(incident, policy).publishes(severity.severity)
