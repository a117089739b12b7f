"""What triage found: one finding per check, each `ok`, `bad` or `unknown` with its facts.

Unknown is a result of its own: it never counts as healthy and never as broken.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from runbook.outside_text import OutsideFields, OutsideLine, OutsideText
from runbook.value import Value


class Status(StrEnum):
    """The three answers a check can give."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


class Check(StrEnum):
    """The checks of Quick Triage, and the look at the workload that the infrastructure branch needs."""

    STATUS_PAGE = "status_page"
    HEALTH = "health"
    ERROR_RATE = "error_rate"
    LOGS = "logs"
    PROBE = "probe"
    WORKLOAD = "workload"

    @property
    def question(self) -> str:
        """What the check asks, as a person would."""
        return QUESTIONS[self]

    @property
    def hope(self) -> str:
        """What is true when the check is ok, for saying what is waited for."""
        return HOPES[self]


QUESTIONS = {
    Check.STATUS_PAGE: "Does PostHog's status page show an incident?",
    Check.HEALTH: "Does our integration say that it is healthy?",
    Check.ERROR_RATE: "Is the error rate under its threshold?",
    Check.LOGS: "Do the recent logs report errors?",
    Check.PROBE: "Does the PostHog API accept our key?",
    Check.WORKLOAD: "Are our pods running and ready?",
}


HOPES = {
    Check.STATUS_PAGE: "PostHog's status page lists no incident",
    Check.HEALTH: "our integration says that it is healthy",
    Check.ERROR_RATE: "the error rate is under its threshold",
    Check.LOGS: "the recent logs report no errors",
    Check.PROBE: "the PostHog API accepts our key",
    Check.WORKLOAD: "all our pods are ready",
}


class Finding(Value):
    """The answer of one check.

    `facts` is what the rules judge and what people are shown; `source` is the address that answered,
    without credentials; `observed_at` is aware UTC; `seconds` is how long the check took.
    """

    check: Check
    status: Status
    summary: OutsideText
    facts: OutsideFields = {}
    source: OutsideLine = ""
    observed_at: datetime
    seconds: float = 0.0

    @classmethod
    def unknown(
        cls, check: Check, reason: str, *, observed_at: datetime, source: str = "", seconds: float = 0.0
    ) -> "Finding":
        """What a check yields that could not be made: the reason, and nothing else."""
        return cls(
            check=check,
            status=Status.UNKNOWN,
            summary=reason,
            source=source,
            observed_at=observed_at,
            seconds=seconds,
        )


class Findings(Value):
    """The findings of one triage, one per check."""

    items: tuple[Finding, ...]

    def __getitem__(self, check: Check) -> Finding:
        """The finding of a check.

        Raises:
            KeyError: the triage did not make this check.
        """
        for finding in self.items:
            if finding.check is check:
                return finding
        raise KeyError(check)

    def status(self, check: Check) -> Status:
        """The status of a check; a check that was not made is unknown."""
        try:
            return self[check].status
        except KeyError:
            return Status.UNKNOWN

    def fact(self, check: Check, name: str) -> JsonValue:
        """A fact of a check, `None` where the check was not made or did not see it."""
        try:
            return self[check].facts.get(name)
        except KeyError:
            return None

    @property
    def unknowns(self) -> tuple[Finding, ...]:
        """What could not be known."""
        return tuple(item for item in self.items if item.status is Status.UNKNOWN)

    def replacing(self, finding: Finding) -> "Findings":
        """The same findings with one check's answer exchanged; counterfactuals are asked this way."""
        return Findings(items=tuple(finding if item.check is finding.check else item for item in self.items))
