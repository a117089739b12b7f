"""What triage found: one finding per check, each `ok`, `bad` or `unknown` with its facts.

Unknown is a separate result: it never counts as healthy and never as broken.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from runbook.checks.facts import F, RecordedFacts
from runbook.checks.spec import CheckName, CheckSpec
from runbook.outside_text import OutsideLine, OutsideText
from runbook.value import Value


class Status(StrEnum):
    """The three answers a check can give."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


class Finding(Value):
    """The answer of one check.

    `facts` is what the rules judge and what people are shown, see `facts_of`; `source` is the address that
    answered, without credentials; `observed_at` is aware UTC; `seconds` is how long the check took.
    """

    check: CheckName
    status: Status
    summary: OutsideText
    facts: RecordedFacts = RecordedFacts({})
    source: OutsideLine = ""
    observed_at: datetime
    seconds: float = 0.0

    def facts_of(self, check: CheckSpec[F, Any]) -> F:
        """What this check saw.

        Raises:
            LookupError: it is the finding of another check.
        """
        if self.check != check.name:
            raise LookupError(f"the finding of {self.check} has no facts of {check.name}")
        return self.facts.read(check.facts)

    @classmethod
    def unknown(
        cls, check: CheckName, reason: str, *, observed_at: datetime, source: str = "", seconds: float = 0.0
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

    def __getitem__(self, check: CheckName) -> Finding:
        """The finding of a check.

        Raises:
            KeyError: the triage did not make this check.
        """
        for finding in self.items:
            if finding.check == check:
                return finding
        raise KeyError(check)

    def status(self, check: CheckName) -> Status:
        """The status of a check; a check that was not made is unknown."""
        try:
            return self[check].status
        except KeyError:
            return Status.UNKNOWN

    def facts(self, check: CheckSpec[F, Any]) -> F:
        """What a check saw; where it was not made, nothing: each fact is `None` or empty then."""
        try:
            return self[check.name].facts_of(check)
        except KeyError:
            return check.facts()

    @property
    def unknowns(self) -> tuple[Finding, ...]:
        """What could not be known."""
        return tuple(item for item in self.items if item.status is Status.UNKNOWN)

    def replacing(self, finding: Finding) -> "Findings":
        """The same findings with one check's answer exchanged; counterfactuals are asked this way."""
        return Findings(items=tuple(finding if item.check == finding.check else item for item in self.items))
