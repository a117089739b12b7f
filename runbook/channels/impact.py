"""What users notice, in words that are kept apart for colleagues and for the public."""

from runbook.channels.public_impact import PublicImpact
from runbook.channels.told_state import forced_state, said_by
from runbook.checks.catalogue import check_title
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents.events import IncidentResolved
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switches_left_on, unknown_checks
from runbook.incidents.state import IncidentOutcome
from runbook.policy.policy import Policy

_BY_ERROR_TYPE = {
    ErrorType.AUTHENTICATION: "events and feature flags may fail: PostHog rejects our API key",
    ErrorType.RATE_LIMITED: "events may be delayed or dropped: PostHog limits our request rate",
    ErrorType.POSTHOG_ERRORS: "events and feature flags may fail: PostHog answers with errors",
    ErrorType.INFRASTRUCTURE: "events and feature flags may fail: our integration is not healthy",
    ErrorType.NONE: "none seen: PostHog answers without errors and our service is healthy",
    ErrorType.UNKNOWN: "events and feature flags may fail: PostHog returns errors of an unknown type",
}


def internal_impact(incident: Incident, policy: Policy) -> str:
    """The impact for colleagues; what is not known is said to be unknown, never to be fine.

    A state that a person has said before it was proved is said to be so, whatever the template.
    """
    forced = forced_state(incident, policy)
    return _impact(incident) + (f"; {forced.state} is {said_by(forced)}" if forced is not None else "")


def _impact(incident: Incident) -> str:
    decision = incident.decision
    if incident.outcome is IncidentOutcome.RECOVERED:
        left_on = ", ".join(action.switch.still_on for action in switches_left_on(incident))
        return f"over: {_known_from(incident)}{f', but {left_on}' if left_on else ''}"
    if incident.outcome is IncidentOutcome.FALSE_POSITIVE:
        return "none: the alert was a false positive"
    if incident.outcome is IncidentOutcome.NOT_OURS:
        return f"none on our side: {_known_from(incident)}"
    if decision is None:
        return "not known yet: triage is running"
    for action in reversed(switches_left_on(incident)):
        return action.switch.impact
    if decision.verdict is Verdict.UNKNOWN:
        blind = ", ".join(check_title(item.check).lower() for item in unknown_checks(incident))
        return f"not known yet: there are not enough facts{f' (no answer from: {blind})' if blind else ''}"
    if decision.verdict is Verdict.RESOLVED_OR_INTERMITTENT:
        return _BY_ERROR_TYPE[ErrorType.NONE]
    return _BY_ERROR_TYPE[decision.error_type]


def is_proved(incident: Incident, policy: Policy) -> bool:
    """Whether neither the end of the incident nor its state rests on a person's word alone."""
    if forced_state(incident, policy) is not None:
        return False
    ended = incident.end.event if incident.end else None
    return not (isinstance(ended, IncidentResolved) and ended.by)


def _known_from(incident: Incident) -> str:
    """How it is known that it is over: by the checks, or by a person's word."""
    ended = incident.end.event if incident.end else None
    by = ended.by if isinstance(ended, IncidentResolved) else ""
    return f"{by} says so, the checks have not shown it" if by else "the recovery was verified"


def public_impact(incident: Incident) -> PublicImpact:
    """The impact for the public."""
    decision = incident.decision
    if incident.outcome is IncidentOutcome.RECOVERED:
        return PublicImpact.ARRIVING_LATE if switches_left_on(incident) else PublicImpact.OVER
    if incident.outcome in (IncidentOutcome.FALSE_POSITIVE, IncidentOutcome.NOT_OURS):
        return PublicImpact.NONE_SEEN
    if decision is None:
        return PublicImpact.UNKNOWN
    for action in reversed(switches_left_on(incident)):
        return action.switch.public
    if decision.verdict is Verdict.UNKNOWN:
        return PublicImpact.UNKNOWN
    if decision.verdict is Verdict.RESOLVED_OR_INTERMITTENT:
        return PublicImpact.NONE_SEEN
    return PublicImpact.DELAYED if decision.error_type is ErrorType.RATE_LIMITED else PublicImpact.FAILING
