"""What was found, and what was decided."""

from typing import Literal

from runbook.approvals.identity import Identity
from runbook.checks.findings import Findings
from runbook.checks.spec import CheckName
from runbook.decision.severity import SeverityAssessment
from runbook.decision.verdict import Decision
from runbook.incidents.events.base import JournalEvent


class TriageStarted(JournalEvent):
    """The checks are running."""

    type: Literal["TriageStarted"] = "TriageStarted"
    round: int
    checks: tuple[CheckName, ...]

    @property
    def journal_key(self) -> str:
        """Once in each round."""
        return f"triage-started:{self.round}"


class TriageCompleted(JournalEvent):
    """All checks have answered or given up."""

    type: Literal["TriageCompleted"] = "TriageCompleted"
    round: int
    findings: Findings

    @property
    def journal_key(self) -> str:
        """Once in each round."""
        return f"triage-completed:{self.round}"


class DecisionMade(JournalEvent):
    """The decision tree was walked."""

    type: Literal["DecisionMade"] = "DecisionMade"
    round: int
    decision: Decision

    @property
    def journal_key(self) -> str:
        """Once in each round."""
        return f"decision-made:{self.round}"


class SeverityOverridden(JournalEvent):
    """A person set another severity than the rules. `identity` tells how it is known who that was."""

    type: Literal["SeverityOverridden"] = "SeverityOverridden"
    assessment: SeverityAssessment
    identity: Identity | None = None
