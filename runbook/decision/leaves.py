"""The verdicts: the leaves of the decision tree, below everything that names one."""

from enum import StrEnum


class Verdict(StrEnum):
    """The leaves of the decision tree, and the one where the facts do not suffice."""

    POSTHOG_OUTAGE = "posthog_outage"
    INTEGRATION_ISSUE = "integration_issue"
    RESOLVED_OR_INTERMITTENT = "resolved_or_intermittent"
    INFRASTRUCTURE_ISSUE = "infrastructure_issue"
    UNKNOWN = "unknown"

    @property
    def advice(self) -> str:
        """What the runbook says at this leaf."""
        return ADVICE[self]


ADVICE = {
    Verdict.POSTHOG_OUTAGE: "Wait for PostHog to resolve. Enable fallback.",
    Verdict.INTEGRATION_ISSUE: "Our integration issue. Check credentials, config.",
    Verdict.RESOLVED_OR_INTERMITTENT: "Likely resolved or intermittent. Monitor.",
    Verdict.INFRASTRUCTURE_ISSUE: "Our infrastructure issue. Check pods, memory, network.",
    Verdict.UNKNOWN: "There are not enough facts. Nothing is changed; a person must investigate.",
}
