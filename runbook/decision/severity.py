"""Severity levels P1 to P4: definitions, response times and examples, as the runbook's table has them."""

from datetime import timedelta
from enum import StrEnum

from runbook.outside_text import OutsideName, OutsideText
from runbook.value import Value


class Severity(StrEnum):
    """How much an incident hurts, worst first. The table is the runbook's "Severity Levels"."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def definition(self) -> str:
        """The runbook's words for this level."""
        return LEVELS[self].definition

    @property
    def response_time(self) -> timedelta | None:
        """How soon someone must respond; `None` means the next business day."""
        return LEVELS[self].response_time

    @property
    def target(self) -> str:
        """The response time as the runbook writes it."""
        return LEVELS[self].target

    @property
    def rank(self) -> int:
        """1 for P1 to 4 for P4, for comparing."""
        return int(self.value[1:])


class Level(Value):
    """A row of the runbook's severity table."""

    definition: str
    response_time: timedelta | None
    target: str
    example: str


LEVELS: dict[Severity, Level] = {
    Severity.P1: Level(
        definition="Complete outage",
        response_time=timedelta(minutes=15),
        target="< 15 min",
        example="PostHog API unreachable",
    ),
    Severity.P2: Level(
        definition="Degraded service",
        response_time=timedelta(hours=1),
        target="< 1 hour",
        example="High latency, partial failures",
    ),
    Severity.P3: Level(
        definition="Minor impact",
        response_time=timedelta(hours=4),
        target="< 4 hours",
        example="Webhook delays, non-critical errors",
    ),
    Severity.P4: Level(
        definition="No user impact",
        response_time=None,
        target="Next business day",
        example="Monitoring gaps",
    ),
}


class SeverityAssessment(Value):
    """A severity with the reason for it. `by` is `rules` or the person who overrode them.

    `claimed`: the sender's own word has decided, since the facts did not.
    """

    severity: Severity
    because: OutsideText
    by: OutsideName = "rules"
    claimed: bool = False
