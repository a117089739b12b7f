"""What was found, and what was decided."""

from typing import ClassVar, Literal

from runbook.approvals.identity import Identity
from runbook.checks.findings import Findings
from runbook.checks.spec import CheckName
from runbook.decision.leaves import Verdict
from runbook.decision.severity import SeverityAssessment
from runbook.decision.verdict import Decision
from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideLine, OutsideName, OutsideText


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


class FactsChecked(JournalEvent):
    """The checks were made again while the incident is open; `changes` is what differs from the decision.

    `verdict` is what they would lead to. A decision is taken anew once another one has held, see
    `runbook.checks.again`.
    """

    type: Literal["FactsChecked"] = "FactsChecked"
    round: int
    verdict: Verdict
    plan: tuple[OutsideLine, ...] = ()
    changes: tuple[OutsideLine, ...] = ()


class FactsChanged(JournalEvent):
    """The decision no longer fits, so that the runbook decides anew; `round` is that of the next decision.

    `by` is the person whose word it is, empty where the checks have shown it.
    """

    type: Literal["FactsChanged"] = "FactsChanged"
    round: int
    because: tuple[OutsideText, ...]
    by: OutsideName = ""

    KEYS: ClassVar[str] = "facts-changed:"
    """How its keys begin."""

    @property
    def journal_key(self) -> str:
        """Once for each round."""
        return f"{self.KEYS}{self.round}"


class SeverityOverridden(JournalEvent):
    """A person set another severity than the rules. `identity` tells how it is known who that was."""

    type: Literal["SeverityOverridden"] = "SeverityOverridden"
    assessment: SeverityAssessment
    identity: Identity | None = None
