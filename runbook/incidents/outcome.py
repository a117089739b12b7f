"""How a response ends, and what a run returns about it."""

from collections.abc import Sequence

from runbook.checks.recovery import Recovery
from runbook.decision.severity import Severity
from runbook.decision.verdict import Decision, Verdict
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome
from runbook.value import Value


def conclude(decision: Decision, recovery: Recovery, *, earlier: Sequence[Decision] = ()) -> IncidentOutcome:
    """The outcome that the facts support. Without a recovery that was seen to hold there is none.

    An alert whose triage found nothing wrong, and where nothing went wrong afterwards, was a false positive.
    `earlier` are the decisions that were taken before this one: what one of them found was there.

    Raises:
        ValueError: no recovery was seen.
    """
    if not recovery.recovered:
        raise ValueError("no recovery was seen, so that only a person can end the incident")
    if all(item.verdict is Verdict.RESOLVED_OR_INTERMITTENT for item in (*earlier, decision)):
        return IncidentOutcome.FALSE_POSITIVE
    return IncidentOutcome.RECOVERED


class IncidentReport(Value):
    """What a run of `respond` returns; everything else is in the incident's journal.

    `joined` is true where another run works on the incident, so that this one had nothing to do.
    """

    incident: str
    joined: bool = False
    verdict: Verdict | None = None
    severity: Severity | None = None
    outcome: IncidentOutcome | None = None
    postmortem: str = ""

    @classmethod
    def of(cls, incident: Incident, *, joined: bool = False, postmortem: str = "") -> "IncidentReport":
        """The report of an incident as it stands."""
        return cls(
            incident=incident.id,
            joined=joined,
            verdict=incident.decision.verdict if incident.decision else None,
            severity=incident.severity.severity if incident.severity else None,
            outcome=incident.outcome,
            postmortem=postmortem,
        )
