"""Nobody is called twice for one reason; who has to know it again after a reopening is called again."""

import dataclasses

import pytest
from pydantic import SecretStr

from blocks.channels.pager import Pager
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from tasks.channels.communicate import tell_of_merger
from tasks.channels.page import escalate, page_on_opening, resolve_page
from tasks.incident import OpenIncident
from tests.runbook.journals import decision
from tests.tasks.channels.audience import Audience, audience

__all__ = ["audience"]  # a fixture, found here

NO_DECISION = Escalation(kind=EscalationKind.NO_DECISION)
NOT_OVER = Escalation(kind=EscalationKind.NOT_OVER)


async def decide(
    incident: OpenIncident, verdict: Verdict = Verdict.POSTHOG_OUTAGE, severity: Severity = Severity.P2
) -> None:
    """A decision is made, and its page sent where there is one."""
    journal = await incident.read()
    round = len(journal.events(e.DecisionMade)) + 1
    await incident.record(e.DecisionMade(round=round, decision=decision(verdict, severity=severity)))
    await page_on_opening(incident)


async def end_and_reopen(incident: OpenIncident) -> None:
    """A person ends it, its pages end, it is closed, and it is reopened."""
    number = (await incident.read()).reopened
    await incident.record(e.IncidentResolved(outcome="recovered", because=(), by="ana", reopened=number))
    await resolve_page(incident)
    await incident.record(e.IncidentClosed(outcome="recovered", reopened=number))
    await incident.record(e.IncidentReopened(because="again", by="ana", reopened=number + 1))


def summaries(audience: Audience) -> list[str]:
    """What the pager was told, oldest first."""
    return [page.summary.removeprefix("service of inc-1: ") for page in audience.pager.pages]


async def test_the_page_for_the_opening_says_that_there_is_no_decision(audience: Audience) -> None:
    """So the call that follows in the same second is for the channel only, and says the same."""
    await decide(audience.incident, Verdict.UNKNOWN)
    for _ in range(2):
        await escalate(audience.incident, NO_DECISION, "there are not enough facts")
    (page,) = audience.pager.pages
    assert "not enough facts for a decision; nothing was changed; the runbook looks again at" in page.summary
    assert audience.said() == ["☎️ A person is needed: there are not enough facts"]
    assert len((await audience.incident.read()).events(e.IncidentEscalated)) == 1


@pytest.mark.parametrize("why", ["severity", "maintenance", "pager"])
async def test_who_was_not_paged_for_the_opening_is_called_for_the_missing_decision(
    audience: Audience, why: str
) -> None:
    """It was not severe enough, it was maintenance, or the pager did not take it."""
    at_work = audience.incident
    if why == "maintenance":
        noted = e.MaintenanceNoted(source="configured", title="Upgrade", until=None, paging_suppressed=True)
        await at_work.record(noted)
    if why == "pager":
        pager = at_work.environment.pager
        assert pager is not None
        wrong = Pager(routing_key=SecretStr("x" * 32), base_url=pager.base_url)
        at_work = OpenIncident(at_work.id, dataclasses.replace(at_work.environment, pager=wrong))
    await decide(at_work, Verdict.UNKNOWN, Severity.P4 if why == "severity" else Severity.P1)
    assert audience.pager.pages == []
    await escalate(audience.incident, NO_DECISION, "there are not enough facts")
    assert summaries(audience) == ["there are not enough facts"]


async def test_a_decision_that_is_gone_is_a_reason_of_its_own(audience: Audience) -> None:
    """The page for the opening said what was wrong then."""
    await decide(audience.incident)
    await decide(audience.incident, Verdict.UNKNOWN)
    await escalate(audience.incident, NO_DECISION, "there are not enough facts")
    assert summaries(audience)[1:] == ["there are not enough facts"]


async def test_facts_that_come_and_go_page_once(audience: Audience) -> None:
    """Unknown, known, unknown again, known otherwise, at one severity: one page."""
    known = (Verdict.POSTHOG_OUTAGE, Verdict.INTEGRATION_ISSUE)
    for verdict in (Verdict.UNKNOWN, known[0], Verdict.UNKNOWN, known[1], Verdict.UNKNOWN):
        await decide(audience.incident, verdict)
        if verdict is Verdict.UNKNOWN:
            await escalate(audience.incident, NO_DECISION, "there are not enough facts")
    assert len(audience.pager.pages) == 1


async def test_a_higher_severity_pages_once_in_each_life(audience: Audience) -> None:
    """P2, P1, P1, P2, P1: two pages; the same again after a reopening: two more."""
    for _ in range(2):
        before = len(audience.pager.pages)
        for severity in (Severity.P2, Severity.P1, Severity.P1, Severity.P2, Severity.P1):
            await decide(audience.incident, severity=severity)
        assert len(audience.pager.pages) == before + 2
        await end_and_reopen(audience.incident)
    assert {page.state for page in audience.pager.pages} == {"resolved"}


async def test_the_same_reason_calls_again_after_a_reopening(audience: Audience) -> None:
    """The call of before has ended with the incident: whoever had it knows nothing of this one."""
    for number in (1, 2):
        await decide(audience.incident, Verdict.UNKNOWN, Severity.P4)
        for _ in range(2):
            await escalate(audience.incident, NO_DECISION, "there are not enough facts")
            await escalate(audience.incident, NOT_OVER, "not over")
        assert [page.state for page in audience.pager.pages[2 * number - 2 :]] == ["triggered"] * 2
        await end_and_reopen(audience.incident)
    assert {page.state for page in audience.pager.pages} == {"resolved"}
    assert len(audience.pager.pages) == 4


async def test_a_call_that_outlasts_the_incident_is_not_made_again(audience: Audience) -> None:
    """It still goes on."""
    for _ in range(2):
        await escalate(audience.incident, NOT_OVER, "not over", outlasts=True)
        await end_and_reopen(audience.incident)
    assert [page.state for page in audience.pager.pages] == ["triggered"]


async def test_nobody_is_paged_for_a_decision_that_comes_after_the_end(audience: Audience) -> None:
    """A person has ended the incident while its triage was under way."""
    await audience.incident.record(e.IncidentResolved(outcome="not_ours", because=(), by="ana"))
    await decide(audience.incident, severity=Severity.P1)
    assert audience.pager.pages == []


async def test_each_merger_is_told(audience: Audience) -> None:
    """An incident may be reopened and merged into another one."""
    for number, into in enumerate(("inc-8", "inc-9")):
        merged = e.IncidentMerged(into=into, by="ana", reopened=number)
        await audience.incident.record(merged)
        for _ in range(2):
            await tell_of_merger(audience.incident)
        await audience.incident.record(e.IncidentClosed(outcome="merged", reopened=number))
        await audience.incident.record(e.IncidentReopened(because="again", by="ana", reopened=number + 1))
    assert ["inc-8" in audience.said()[0], "inc-9" in audience.said()[1]] == [True, True]
    assert len(audience.said()) == 2
