"""Each event of the journal as one line for people."""

from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from rich.console import RenderableType
from rich.text import Text

from deployments.progress.parts import change_lines, decision_details, diff_lines, findings_table, words
from deployments.progress.symbols import (
    BAD,
    GOOD,
    LOUD,
    OUTCOME_STYLES,
    QUIET,
    UNSURE,
    Symbols,
    first_line,
    plain,
)
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.alerts.alert import Alert, AlertStatus
from runbook.approvals.gates import Choice
from runbook.approvals.identity import named
from runbook.channels.wording import ACTION_OUTCOMES, VERDICT_TITLES
from runbook.decision.verdict import Decision
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.ids import INCIDENT_ID
from runbook.incidents.sentences import sentence

ANNOUNCING = ("announce", "publish_from", "remind")
"""Policies whose messages are journalled as an announcement, a hand-off or a reminder of their own."""


@dataclass(frozen=True)
class Row:
    """A line: sign, style, a word for what it is, the text, and what stands under it.

    `copied` are addresses and paths, each of which has an unbroken line of its own.
    """

    symbol: str
    label: str
    text: Text
    style: str = ""
    details: tuple[RenderableType, ...] = ()
    copied: tuple[str, ...] = ()


def row_of(event: e.Event, symbols: Symbols) -> Row | None:
    """The line of an event, `None` where another event of the same moment says it already."""
    match event:
        case e.IncidentOpened():
            return Row(symbols.event, *_opening(event), LOUD)
        case e.AlertJoined() | e.AlertLeft():
            return Row(symbols.event, "Alert", alert_text(event.alert), QUIET)
        case e.AlertsResolved() | e.AlertStormNoted() | e.PolicyNoted():
            return Row(symbols.event, "Alerts", Text(plain(sentence(event))), QUIET)
        case e.FlappingNoted() | e.MaintenanceNoted() | e.PolicyChanged() | e.AnswerPlanted():
            return Row(symbols.event, "Note", Text(plain(sentence(event))), UNSURE)
        case e.ApprovalWithdrawn():
            return Row(symbols.ask, "Withdrawn", Text(plain(event.because)), QUIET)
        case e.RunStarted():
            return _run(event, symbols)
        case e.TriageStarted():
            return None
        case e.TriageCompleted():
            return _triage(event, symbols)
        case e.DecisionMade():
            return _decision(event.decision, symbols)
        case e.SeverityOverridden():
            return _severity(event, symbols)
        case e.ActionPreviewed():
            return _preview(event.plan, symbols)
        case e.PlanDrifted():
            return _drift(event, symbols)
        case e.ApprovalReminded():
            what = "a person was paged" if event.escalated else "the channel was reminded"
            return Row(symbols.ask, "Reminded", Text(f"{what}: nobody has answered"), UNSURE)
        case e.ApprovalRequested():
            return Row(symbols.ask, "Approval", Text(first_line(event.question), style="bold"), UNSURE)
        case e.ApprovalAnswered():
            return _answer(event, symbols)
        case e.OutageNoted() | e.OutageEnded():
            return Row(symbols.work, "Outage", Text(plain(sentence(event))), UNSURE)
        case e.ApprovalLapsed() | e.ApprovalExpired():
            return Row(symbols.bad, "Lapsed", Text(plain(sentence(event))), BAD)
        case e.ApprovalRefused():
            return Row(symbols.bad, "Refused", Text(plain(event.because)), BAD)
        case e.EffectIntended():
            return _intent(event.effect, symbols)
        case e.EffectSettled():
            return _effect(event.effect, symbols)
        case e.ActionFinished():
            return _result(event, symbols)
        case e.StatusAnnounced():
            return _announcement(event, symbols)
        case e.RunContinued():
            return Row(symbols.work, "Continued", Text(plain(event.because)), UNSURE)
        case e.IncidentEscalated():
            return _escalation(event, symbols)
        case e.WatchStarted():
            return Row(symbols.work, "Watching", Text(f"until {_joined(event.waiting_for)}"), LOUD)
        case e.RecoveryChecked():
            return _recovery(event, symbols)
        case e.IncidentResolved():
            return _ending(event, symbols)
        case e.SwitchChecked():
            return _switch(event, symbols)
        case e.ChangeReverted():
            return Row(symbols.bad, "Reverted", Text(plain(sentence(event))), BAD)
        case e.EvidenceCollected() | e.FileNotWritten():
            return _evidence(event, symbols)
        case e.PostmortemDrafted():
            draft = (plain(nearby(event.path)),)
            return Row(symbols.event, "Draft", Text("post-mortem"), LOUD, copied=draft)
        case e.ArtifactPublished():
            return Row(
                symbols.event, "Artifact", Text(f"{plain(bare_key(event.key))} ({plain(event.kind)})"), QUIET
            )
        case e.NoteAdded() | e.ResponseResumed():
            return _word(event, symbols)
        case e.IncidentClosed():
            return Row(symbols.event, "Closed", Text(words(event.outcome), style="bold"), "bold")
        case _:
            assert_never(event)


def _severity(event: e.SeverityOverridden, symbols: Symbols) -> Row:
    word = event.assessment
    by = plain(named(word.by, event.identity))
    return Row(symbols.decision, "Severity", Text(f"{word.severity} by {by}: {plain(word.because)}"), UNSURE)


def _run(event: e.RunStarted, symbols: Symbols) -> Row:
    if not event.url:
        return Row(symbols.event, "Run", Text(plain(event.flow_run_id)), QUIET)
    return Row(symbols.event, "Run", Text("started in Prefect"), QUIET, copied=(plain(event.url),))


def _drift(event: e.PlanDrifted, symbols: Symbols) -> Row:
    void = f"; the approval of {', '.join(event.voided)} is void" if event.voided else ""
    text = Text(f"the plan that was shown holds no more{plain(void)}")
    return Row(symbols.bad, "Drifted", text, BAD, (diff_lines("\n".join(event.because)),))


def _opening(event: e.IncidentOpened) -> tuple[str, Text]:
    return "Rehearsal" if event.dry_run else "Alert", alert_text(event.alert)


def _word(event: e.NoteAdded | e.ResponseResumed, symbols: Symbols) -> Row:
    """What a person has said."""
    if isinstance(event, e.NoteAdded):
        return Row(symbols.event, "Note", Text(f"{plain(event.by)}: {plain(event.text)}"))
    done = plain(event.done) or "nothing"
    by = plain(named(event.by, event.identity))
    return Row(symbols.event, "Resumed", Text(f"by {by}; done by hand: {done}"))


def nearby(path: str) -> str:
    """A path as people would type it here."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def bare_key(key: str) -> str:
    """An artifact's key without the incident's id, which every one of an incident begins with."""
    return INCIDENT_ID.sub("", key, count=1).lstrip("-") or key


def alert_text(alert: Alert) -> Text:
    """An alert in one sentence: name, claimed severity, summary."""
    text = Text(plain(alert.name), style="bold")
    if alert.status is AlertStatus.RESOLVED:
        text.append(" resolved at its sender", style=GOOD)
    if alert.severity:
        text.append(f" {alert.severity}", style="bold")
    text.append(f" on {plain(alert.service)}: {plain(alert.summary)}", style="not bold")
    return text


def _triage(event: e.TriageCompleted, symbols: Symbols) -> Row:
    findings = event.findings
    slowest = max((item.seconds for item in findings.items), default=0.0)
    again = f", round {event.round}" if event.round > 1 else ""
    text = Text(f"{len(findings.items)} checks at once in {slowest:.1f}s{again}")
    if findings.unknowns:
        text.append(f", {len(findings.unknowns)} without an answer", style=UNSURE)
    return Row(symbols.event, "Triage", text, LOUD, (findings_table(findings, symbols),))


def _decision(decision: Decision, symbols: Symbols) -> Row:
    text = Text(VERDICT_TITLES[decision.verdict], style="bold")
    text.append(f", {decision.error_type.heading}")
    if len(decision.mix) > 1:
        shares = ", ".join(f"{words(kind)} {share:.0%}" for kind, share in decision.mix.items())
        text.append(f" ({shares})", style=QUIET)
    details = decision_details(decision, symbols)
    return Row(symbols.decision, "Decision", text, LOUD, details)


def _preview(plan: ChangePlan, symbols: Symbols) -> Row:
    text = Text(plan.action.spec.title, style="bold")
    text.append(f" on {plain(plan.action.target)}", style="not bold")
    if plan.blocked:
        text.append(f"\nblocked: {plain(plan.blocked)}", style=BAD)
    elif plan.in_place:
        text.append(f"\nin place already: {plain(plan.in_place)}", style=GOOD)
    details: list[RenderableType] = [diff_lines(plan.diff)] if plan.diff else []
    if not plan.blocked and not plan.in_place:
        details.append(change_lines(plan))
    return Row(symbols.work, "Preview", text, LOUD, tuple(details))


def _answer(event: e.ApprovalAnswered, symbols: Symbols) -> Row:
    answer = event.answer
    how = f"{answer.channel}, {answer.known_by}" if answer.known_by else answer.channel
    by = f"by {plain(answer.approver)} ({plain(how)})"
    if answer.reason:
        by += f": {plain(answer.reason)}"
    match answer.choice:
        case Choice.APPROVE:
            return Row(symbols.good, "Approved", Text(by), GOOD)
        case Choice.REJECT:
            return Row(symbols.bad, "Rejected", Text(by), BAD)
        case Choice.EDIT:
            edits = ", ".join(f"{name} = {value}" for name, value in answer.parameters.items())
            return Row(symbols.unknown, "Edited", Text(f"{plain(edits)} {by}"), UNSURE)
        case Choice.SNOOZE:
            return Row(symbols.unknown, "Not yet", Text(by), UNSURE)
        case _:
            assert_never(answer.choice)


def _intent(effect: Effect, symbols: Symbols) -> Row | None:
    if not effect.is_change:
        return None  # a message takes a moment; its outcome says enough
    return Row(symbols.work, "Applying", Text(plain(effect.summary), style=QUIET), QUIET)


def _effect(effect: Effect, symbols: Symbols) -> Row | None:
    text = Text(plain(effect.summary))
    if not effect.is_change and effect.outcome is EffectOutcome.APPLIED:
        if effect.authority.reference in ANNOUNCING:
            return None
        return Row(symbols.told, "Told", Text(f"{plain(effect.kind)}: ") + text, LOUD)
    if effect.detail:
        text.append(f": {plain(effect.detail)}", style=QUIET)
    match effect.outcome:
        case EffectOutcome.APPLIED:
            return Row(symbols.good, "Applied", text, GOOD)
        case EffectOutcome.ALREADY_IN_PLACE:
            return Row(symbols.skip, "In place", text, QUIET)
        case EffectOutcome.FAILED:
            return Row(symbols.bad, "Failed", text, BAD)
        case EffectOutcome.UNSETTLED | None:
            text.append(" (nobody knows whether it happened: look)", style=f"bold {UNSURE}")
            return Row(symbols.unknown, "Unsettled", text, UNSURE)
        case _:
            assert_never(effect.outcome)


def _result(event: e.ActionFinished, symbols: Symbols) -> Row:
    result = event.result
    style = OUTCOME_STYLES[result.outcome]
    sign = {GOOD: symbols.good, BAD: symbols.bad}.get(style, symbols.unknown)
    if result.outcome is ActionOutcome.HANDED_OFF:
        sign = symbols.told
    text = Text(f"{result.action.spec.title}: {ACTION_OUTCOMES[result.outcome]}", style="bold")
    if result.detail:
        text.append(f", {plain(result.detail)}", style="not bold")
    return Row(sign, "Action", text, style)


def _announcement(event: e.StatusAnnounced, symbols: Symbols) -> Row:
    text = Text(f"{plain(event.channel)}: {plain(event.state)}")
    if event.next_update_at:
        text.append(f", next update {event.next_update_at:%H:%M} UTC", style=QUIET)
    return Row(symbols.told, "Told", text, LOUD)


def _escalation(event: e.IncidentEscalated, symbols: Symbols) -> Row:
    commands = tuple(Text(plain(command)) for command in event.commands)
    return Row(symbols.page, "Escalated", Text(plain(event.because)), BAD, commands)


def _recovery(event: e.RecoveryChecked, symbols: Symbols) -> Row:
    because = Text(_joined(event.because))
    if event.recovered is None:
        return Row(symbols.unknown, "Unclear", because, UNSURE)
    if event.recovered:
        return Row(symbols.good, "Healthy", because, GOOD)
    return Row(symbols.bad, "Unhealthy", because, UNSURE)


def _ending(event: e.IncidentResolved, symbols: Symbols) -> Row:
    style = {"recovered": GOOD, "false_positive": GOOD, "unknown": UNSURE}.get(event.outcome, BAD)
    sign = {GOOD: symbols.good, UNSURE: symbols.unknown}.get(style, symbols.bad)
    text = Text(words(event.outcome), style=f"bold {style}")
    if event.because:
        text.append(f": {_joined(event.because)}", style="default not bold")
    return Row(sign, "Ended", text, style)


def _switch(event: e.SwitchChecked, symbols: Symbols) -> Row:
    switch, detail = plain(event.switch), f": {plain(event.detail)}" if event.detail else ""
    if event.on is None:
        return Row(symbols.unknown, "Switch", Text(f"{switch} may still be on{detail}"), UNSURE)
    if event.on:
        return Row(symbols.bad, "Switch", Text(f"{switch} is still on{detail}"), UNSURE)
    return Row(symbols.good, "Switch", Text(f"{switch} is off by now{detail}"), GOOD)


def _evidence(event: e.EvidenceCollected | e.FileNotWritten, symbols: Symbols) -> Row:
    if isinstance(event, e.FileNotWritten):
        return Row(symbols.bad, "Not kept", Text(f"{plain(event.what)}: {plain(event.because)}"), BAD)
    text = Text(f"{len(event.files)} files sealed")
    if event.missing:
        gaps = ", ".join(f"{plain(name)} ({plain(why)})" for name, why in event.missing.items())
        text.append(f"\nmissing: {gaps}", style=UNSURE)
    return Row(symbols.event, "Evidence", text, LOUD, copied=(plain(nearby(event.folder)),))


def _joined(parts: tuple[str, ...]) -> str:
    return "; ".join(plain(part) for part in parts)
