"""The journal as sentences. Every type of event has one; a test holds this against the list of events."""

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch

from runbook.actions.catalogue import ActionOutcome
from runbook.alerts.alert import AlertStatus
from runbook.approvals.identity import named
from runbook.channels.wording import ACTION_OUTCOMES, ANSWERED, OUTCOMES, VERDICT_TITLES, count, edit_words
from runbook.checks.findings import Status
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident
from runbook.incidents.state import Outcome
from runbook.value import Value

MACHINERY = (
    e.PolicyNoted,
    e.RunStarted,
    e.RunContinued,
    e.TriageStarted,
    e.EffectIntended,
    e.ArtifactPublished,
)
"""Events that tell how the runbook works rather than what happened; an intent without an outcome is told."""


class Entry(Value):
    """A line of the timeline; `at` is aware UTC."""

    at: datetime
    sentence: str


def timeline(incident: Incident, *, machinery: bool = True) -> tuple[Entry, ...]:
    """The journal in sentences, oldest first; without the machinery for readers of a post-mortem."""
    recorded = incident.journal if machinery else _what_happened(incident)
    return tuple(Entry(at=item.at, sentence=sentence(item.event)) for item in recorded)


def _what_happened(incident: Incident) -> Iterable[e.Recorded]:
    effects = incident.effects
    for item in incident.journal:
        event = item.event
        left_open = isinstance(event, e.EffectIntended) and effects[event.effect.id].outcome is None
        if left_open or not isinstance(event, MACHINERY):
            yield item


@singledispatch
def sentence(event: Value) -> str:
    """What an event means, as one sentence without a full stop.

    Raises:
        TypeError: nobody has written the sentence for this type of event.
    """
    raise TypeError(f"no sentence for {type(event).__name__}")


@sentence.register
def _(event: e.IncidentOpened) -> str:
    again = f", again after {event.recurrence_of}" if event.recurrence_of else ""
    what = "Rehearsal" if event.dry_run else "Incident"
    return f"{what} opened by {event.alert.source}: {event.alert.name} ({event.alert.summary}){again}"


@sentence.register
def _(event: e.PolicyNoted) -> str:
    return f"Policy noted, since the release before did not: {event.permissions.digest[:12]}"


@sentence.register
def _(event: e.PolicyChanged) -> str:
    return f"Policy changed: {'; '.join(map(edit_words, event.changes))}"


@sentence.register
def _(event: e.AlertJoined) -> str:
    alert = event.alert
    if alert.status is AlertStatus.RESOLVED:
        return f"{alert.source} says that {alert.name} is resolved"
    return f"Alert joined from {alert.source}: {alert.name} ({alert.summary})"


@sentence.register
def _(event: e.AlertLeft) -> str:
    return f"{event.alert.source} says that {event.alert.name} is resolved"


@sentence.register
def _(event: e.AlertsResolved) -> str:
    return f"None of {count(event.alerts, 'alert')} fires any more; the checks decide whether it is over"


@sentence.register
def _(event: e.AlertStormNoted) -> str:
    return f"{count(event.alerts, 'alert')} have joined; further ones are counted, not listed"


@sentence.register
def _(event: e.FlappingNoted) -> str:
    return f"Flapping: {event.alert} began {event.episodes} times within an hour"


@sentence.register
def _(event: e.ApprovalWithdrawn) -> str:
    return f"The question about {event.action_id} was withdrawn: {event.because}"


@sentence.register
def _(event: e.MaintenanceNoted) -> str:
    until = f" until {event.until:%Y-%m-%d %H:%M} UTC" if event.until else ""
    paging = "; nobody is paged for its opening" if event.paging_suppressed else ""
    return f"Known maintenance ({event.source}): {event.title}{until}{paging}"


@sentence.register
def _(event: e.RunStarted) -> str:
    return f"Flow run {event.flow_run_id} took up the incident"


@sentence.register
def _(event: e.RunContinued) -> str:
    return f"Flow run {event.flow_run_id} goes on: {event.because}"


@sentence.register
def _(event: e.ResponseResumed) -> str:
    who = named(event.by, event.identity)
    return f"{who} handed the response back to the runbook; done by hand: {event.done or 'nothing'}"


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
def _(event: e.SeverityOverridden) -> str:
    assessment = event.assessment
    who = named(assessment.by, event.identity)
    return f"{who} set the severity to {assessment.severity.value}: {assessment.because}"


@sentence.register
def _(event: e.ActionPreviewed) -> str:
    plan = event.plan
    outcome = f"not possible, {plan.blocked}" if plan.blocked else "the exact change is known"
    if plan.in_place:
        outcome = f"nothing to do, {plan.in_place}"
    return f"Previewed: {plan.action.spec.title} on {plan.action.target}: {outcome}"


@sentence.register
def _(event: e.PlanDrifted) -> str:
    void = f"; the approval of {', '.join(event.voided)} is void" if event.voided else ""
    return f"The plan of {event.action_id} holds no more: {'; '.join(event.because)}{void}"


@sentence.register
def _(event: e.ApprovalReminded) -> str:
    return f"{'A person was paged' if event.escalated else 'Reminded'}: {event.gate} is unanswered"


@sentence.register
def _(event: e.ApprovalRequested) -> str:
    asked = event.question.strip().splitlines()
    return f"Approval asked: {asked[0].lstrip('# ') if asked else event.action_id}"


@sentence.register
def _(event: e.ApprovalAnswered) -> str:
    answer = event.answer
    reason = f": {answer.reason}" if answer.reason else ""
    edits = "".join(f", {name} = {value}" for name, value in answer.parameters.items())
    how = f"{answer.channel}, {answer.known_by}" if answer.known_by else answer.channel
    return f"{answer.approver} {ANSWERED[answer.choice]} {event.action_id}{edits} ({how}){reason}"


@sentence.register
def _(event: e.ApprovalLapsed) -> str:
    return f"The approval of {event.action_id} by {', '.join(event.by)} counts no more: they may not now"


@sentence.register
def _(event: e.OutageNoted) -> str:
    return f"{event.action_id} waits for the cluster: {event.because}"


@sentence.register
def _(event: e.OutageEnded) -> str:
    return f"The cluster answers again: {event.action_id} goes on"


@sentence.register
def _(event: e.ApprovalExpired) -> str:
    by = f" by {', '.join(event.by)}" if event.by else ""
    return f"The approval of {event.action_id}{by} has expired: the cluster was away for too long"


@sentence.register
def _(event: e.ApprovalRefused) -> str:
    return f"An answer for {event.action_id} could not be accepted: {event.because}"


@sentence.register
def _(event: e.AnswerPlanted) -> str:
    return f"{count(event.answers, 'answer')} in Prefect to no question of the runbook; none was taken"


@sentence.register
def _(event: e.EffectIntended) -> str:
    return f"About to happen: {event.effect.summary} ({event.effect.target})"


@sentence.register
def _(event: e.EffectSettled) -> str:
    effect = event.effect
    words = {
        EffectOutcome.APPLIED: "Done",
        EffectOutcome.ALREADY_IN_PLACE: "Already in place",
        EffectOutcome.FAILED: "Failed",
        EffectOutcome.UNSETTLED: "May or may not have happened, a person must look",
    }
    outcome = words[effect.outcome] if effect.outcome else "Not settled"
    detail = f": {effect.detail}" if effect.detail else ""
    return f"{outcome}: {effect.summary} ({effect.target}){detail}"


@sentence.register
def _(event: e.ActionFinished) -> str:
    result = event.result
    said = "by" if result.outcome is ActionOutcome.REJECTED else "approved by"
    by = f", {said} {result.approved_by}" if result.approved_by else ""
    detail = f": {result.detail}" if result.detail else ""
    action, outcome = result.action, ACTION_OUTCOMES[result.outcome]
    return f"{action.spec.title} on {action.target}: {outcome}{by}{detail}"


@sentence.register
def _(event: e.StatusAnnounced) -> str:
    return f"Told {event.channel}: {event.state}"


@sentence.register
def _(event: e.IncidentEscalated) -> str:
    commands = f". By hand: {'; '.join(event.commands)}" if event.commands else ""
    called = "Rehearsal, nobody was called; otherwise a person" if event.rehearsed else "A person was called"
    return f"{called}: {event.because}{commands}"


@sentence.register
def _(event: e.WatchStarted) -> str:
    return f"Watching until {', '.join(event.waiting_for) or 'it is over'}"


@sentence.register
def _(event: e.RecoveryChecked) -> str:
    word = {True: "recovered", False: "not recovered", None: "nobody can tell"}[event.recovered]
    return f"Recovery checked: {word}{_because(event.because)}"


@sentence.register
def _(event: e.IncidentResolved) -> str:
    return f"Response ended: {_outcome(event.outcome)}{_because(event.because)}"


@sentence.register
def _(event: e.SwitchChecked) -> str:
    found = {True: "is still on", False: "is off by now", None: "may still be on"}[event.on]
    untold = "" if event.told else " (nobody was told: there is no [slack])"
    return f"{event.switch} {found}{f': {event.detail}' if event.detail else ''}{untold}"


@sentence.register
def _(event: e.ChangeReverted) -> str:
    return f"{event.action_id}: {event.reversal}"


@sentence.register
def _(event: e.EvidenceCollected) -> str:
    missing = f", {len(event.missing)} missing ({', '.join(event.missing)})" if event.missing else ""
    return f"Evidence collected: {count(len(event.files), 'file')} in {event.folder}{missing}"


@sentence.register
def _(event: e.FileNotWritten) -> str:
    return f"Not written: {event.what} ({event.because})"


@sentence.register
def _(event: e.PostmortemDrafted) -> str:
    return f"Post-mortem drafted: {event.path}"


@sentence.register
def _(event: e.ArtifactPublished) -> str:
    return f"Published the {event.kind} artifact {event.key}"


@sentence.register
def _(event: e.NoteAdded) -> str:
    return f"{event.by} noted: {event.text}"


@sentence.register
def _(event: e.IncidentClosed) -> str:
    return f"Incident closed: {_outcome(event.outcome)}"


def _because(reasons: tuple[str, ...]) -> str:
    return f": {'; '.join(reasons)}" if reasons else ""


def _outcome(word: str) -> str:
    """An outcome in words; a word from an older journal that is none of ours is shown as it is."""
    return OUTCOMES[Outcome(word)] if word in {outcome.value for outcome in Outcome} else word
