"""A response ends with the outcome that its facts support."""

import pytest

from runbook.checks.recovery import Recovery, incident_over
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Verdict
from runbook.incidents.events import IncidentOpened, SeverityOverridden
from runbook.incidents.outcome import IncidentReport, conclude
from runbook.incidents.state import IncidentOutcome
from tests.runbook.findings_samples import every_combination, told
from tests.runbook.journals import decided, decision, incident, resolved


@pytest.mark.parametrize("verdict", Verdict)
def test_outcome_is_the_recovery_that_was_seen(verdict: Verdict) -> None:
    """An alert behind which nothing was wrong was a false positive."""
    nothing_wrong = verdict is Verdict.RESOLVED_OR_INTERMITTENT
    expected = IncidentOutcome.FALSE_POSITIVE if nothing_wrong else IncidentOutcome.RECOVERED
    assert conclude(decision(verdict), Recovery(recovered=True, because=())) is expected


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("recovered", [False, None])
def test_without_a_recovery_the_runbook_ends_nothing(verdict: Verdict, recovered: bool | None) -> None:
    """Only a person may end an incident whose recovery was not seen."""
    with pytest.raises(ValueError, match="only a person"):
        conclude(decision(verdict), Recovery(recovered=recovered, because=()))


def test_what_an_earlier_decision_found_was_no_false_positive() -> None:
    """Somebody's fix came in between: the verdict that was taken anew finds nothing wrong any more."""
    well = Recovery(recovered=True, because=())
    before, now = decision(Verdict.INFRASTRUCTURE_ISSUE), decision(Verdict.RESOLVED_OR_INTERMITTENT)
    assert conclude(now, well, earlier=(before, now)) is IncidentOutcome.RECOVERED
    assert conclude(now, well, earlier=(now,)) is IncidentOutcome.FALSE_POSITIVE


@pytest.mark.parametrize("verdict", Verdict)
def test_no_combination_with_missing_facts_ends_well(verdict: Verdict) -> None:
    """Where a check of the verdict is unknown or bad, nothing has recovered and nothing was a false alarm."""
    for findings in every_combination():
        recovery = incident_over(decision(verdict), findings)
        if recovery.recovered is True:
            assert conclude(decision(verdict), recovery).good, told(findings)
        else:
            with pytest.raises(ValueError, match="only a person"):
                conclude(decision(verdict), recovery)


def test_report_says_what_the_journal_says() -> None:
    """Verdict, severity in force and outcome come from the incident; nothing is known of a new one."""
    override = SeverityOverridden(
        assessment=SeverityAssessment(severity=Severity.P3, because="test traffic", by="bob")
    )
    ended = incident(decided(), override, resolved("not_recovered"))
    assert IncidentReport.of(ended, postmortem="evidence/postmortem.md") == IncidentReport(
        incident=ended.id,
        verdict=Verdict.POSTHOG_OUTAGE,
        severity=Severity.P3,
        outcome=IncidentOutcome.NOT_RECOVERED,
        postmortem="evidence/postmortem.md",
    )
    fresh = incident()
    assert isinstance(fresh.opened, IncidentOpened)
    assert IncidentReport.of(fresh, joined=True) == IncidentReport(incident=fresh.id, joined=True)
