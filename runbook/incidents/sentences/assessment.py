"""Triage, decisions and severities, in sentences."""

from runbook.approvals.identity import named
from runbook.channels.wording import VERDICT_TITLES, count
from runbook.checks.findings import Status
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.TriageStarted) -> str:
    return f"Triage {event.round} started: {count(len(event.checks), 'check')}"


@sentence.register
def _(event: e.TriageCompleted) -> str:
    items = event.findings.items
    counts = (f"{sum(item.status is status for item in items)} {status.value}" for status in Status)
    return f"Triage {event.round} completed: {', '.join(counts)}"


@sentence.register
def _(event: e.DecisionMade) -> str:
    decision = event.decision
    plan = ", then ".join(action.spec.title for action in decision.plan) or "no action"
    severity = decision.severity.severity.value
    return f"Decision {event.round}: {VERDICT_TITLES[decision.verdict]}, {severity}; plan: {plan}"


@sentence.register
def _(event: e.FactsChecked) -> str:
    verdict = VERDICT_TITLES[event.verdict]
    if not event.changes:
        return f"Checked again: still {verdict}"
    return f"Checked again: {verdict}; {'; '.join(event.changes)}"


@sentence.register
def _(event: e.FactsChanged) -> str:
    who = f", as {event.by} says that the verdict is wrong" if event.by else ""
    return f"Deciding again{who}: {'; '.join(event.because)}"


@sentence.register
def _(event: e.SeverityOverridden) -> str:
    assessment = event.assessment
    who = named(assessment.by, event.identity)
    return f"{who} set the severity to {assessment.severity.value}: {assessment.because}"
