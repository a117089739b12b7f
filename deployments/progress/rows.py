"""Each event of the journal as one line for people."""

from pathlib import Path
from typing import assert_never

from rich.text import Text

from deployments.progress.change_rows import (
    answer_row,
    drift_row,
    effect_row,
    intent_row,
    preview_row,
    result_row,
)
from deployments.progress.life_rows import life_row
from deployments.progress.parts import decision_details, findings_table, words
from deployments.progress.row import Row
from deployments.progress.symbols import (
    BAD,
    GOOD,
    LOUD,
    QUIET,
    UNSURE,
    Symbols,
    first_line,
    plain,
)
from runbook.alerts.alert import Alert, AlertStatus
from runbook.approvals.identity import named
from runbook.channels.wording import VERDICT_TITLES, verdict_words
from runbook.decision.verdict import Decision
from runbook.incidents import events as e
from runbook.incidents.ids import INCIDENT_ID
from runbook.incidents.sentences import sentence


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
            return preview_row(event.plan, symbols)
        case e.PlanDrifted():
            return drift_row(event, symbols)
        case e.ApprovalReminded():
            what = "a person was paged" if event.escalated else "the channel was reminded"
            return Row(symbols.ask, "Reminded", Text(f"{what}: nobody has answered"), UNSURE)
        case e.ApprovalRequested():
            return Row(symbols.ask, "Approval", Text(first_line(event.question), style="bold"), UNSURE)
        case e.ApprovalAnswered():
            return answer_row(event, symbols)
        case e.OutageNoted() | e.OutageEnded():
            return Row(symbols.work, "Outage", Text(plain(sentence(event))), UNSURE)
        case e.ApprovalLapsed() | e.ApprovalExpired():
            return Row(symbols.bad, "Lapsed", Text(plain(sentence(event))), BAD)
        case e.ApprovalRefused():
            return Row(symbols.bad, "Refused", Text(plain(event.because)), BAD)
        case e.EffectIntended():
            return intent_row(event.effect, symbols)
        case e.EffectSettled():
            return effect_row(event.effect, symbols)
        case e.ActionFinished():
            return result_row(event, symbols)
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
        case e.SwitchChecked():
            return _switch(event, symbols)
        case e.ChangeReverted():
            return Row(symbols.bad, "Reverted", Text(plain(sentence(event))), BAD)
        case e.ManualChangeSeen():
            return Row(symbols.work, "By hand", Text(plain(sentence(event))), LOUD)
        case e.EvidenceCollected() | e.FileNotWritten():
            return _evidence(event, symbols)
        case e.PostmortemDrafted():
            draft = (plain(nearby(event.path)),)
            return Row(symbols.event, "Draft", Text("post-mortem"), LOUD, copied=draft)
        case e.ArtifactPublished():
            return Row(
                symbols.event, "Artifact", Text(f"{plain(bare_key(event.key))} ({plain(event.kind)})"), QUIET
            )
        case (
            e.NoteAdded()
            | e.ResponseResumed()
            | e.LeadAssigned()
            | e.CommsLeadAssigned()
            | e.SupportAssigned()
            | e.IncidentAcknowledged()
            | e.UpdateRequested()
        ):
            return _word(event, symbols)
        case (
            e.ResponsePaused()
            | e.ClockReminded()
            | e.ReminderSnoozed()
            | e.FactsChecked()
            | e.FactsChanged()
            | e.StateForced()
            | e.IncidentResolved()
            | e.IncidentMerged()
            | e.IncidentAbsorbed()
            | e.IncidentReopened()
            | e.IncidentClosed()
            | e.PublicIncidentSeen()
            | e.PublicTextRefused()
            | e.PublicTextProposed()
            | e.PublicTextApproved()
            | e.PublicTextWithheld()
            | e.PublicUpdateSeen()
        ):
            return life_row(event, symbols)
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


def _opening(event: e.IncidentOpened) -> tuple[str, Text]:
    return "Rehearsal" if event.dry_run else "Alert", alert_text(event.alert)


_Word = (
    e.NoteAdded
    | e.ResponseResumed
    | e.LeadAssigned
    | e.CommsLeadAssigned
    | e.SupportAssigned
    | e.IncidentAcknowledged
    | e.UpdateRequested
)


def _word(event: _Word, symbols: Symbols) -> Row:
    """What a person has said."""
    match event:
        case e.NoteAdded():
            who = plain(named(event.by, event.identity) if event.identity else event.by)
            return Row(symbols.event, "Note", Text(f"{who}: {plain(event.text)}"))
        case e.ResponseResumed():
            by, done = plain(named(event.by, event.identity)), plain(event.done) or "nothing"
            return Row(symbols.event, "Resumed", Text(f"by {by}; done by hand: {done}"))
        case e.IncidentAcknowledged():
            return Row(symbols.event, "Acked", Text(plain(sentence(event))), LOUD)
        case e.UpdateRequested():
            return Row(symbols.event, "Update", Text(plain(sentence(event))), LOUD)
        case _:
            return Row(symbols.event, "Lead", Text(plain(sentence(event))), LOUD)


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
    text = Text(verdict_words(decision))
    text.stylize("bold", 0, len(VERDICT_TITLES[decision.verdict]))
    if len(decision.mix) > 1:
        shares = ", ".join(f"{words(kind)} {share:.0%}" for kind, share in decision.mix.items())
        text.append(f" ({shares})", style=QUIET)
    details = decision_details(decision, symbols)
    return Row(symbols.decision, "Decision", text, LOUD, details)


def _announcement(event: e.StatusAnnounced, symbols: Symbols) -> Row:
    text = Text(f"{plain(event.channel)}: {plain(event.state)}")
    if event.next_update_at:
        text.append(f", next update {event.next_update_at:%H:%M} UTC", style=QUIET)
    return Row(symbols.told, "Told", text, LOUD)


def _escalation(event: e.IncidentEscalated, symbols: Symbols) -> Row:
    """What a person is needed for; whether anybody was told of it, the lines say that follow."""
    commands = tuple(plain(command) for command in event.commands)
    return Row(symbols.page, "Needs you", Text(plain(event.because)), BAD, copied=commands)


def _recovery(event: e.RecoveryChecked, symbols: Symbols) -> Row:
    because = Text(_joined(event.because))
    if event.recovered is None:
        return Row(symbols.unknown, "Unclear", because, UNSURE)
    if event.recovered:
        return Row(symbols.good, "Healthy", because, GOOD)
    return Row(symbols.bad, "Unhealthy", because, UNSURE)


def _switch(event: e.SwitchChecked, symbols: Symbols) -> Row:
    switch, detail = plain(event.switch), f": {plain(event.detail)}" if event.detail else ""
    if event.on is None:
        return Row(symbols.unknown, "Switch", Text(f"{switch} may still be on{detail}"), UNSURE)
    if event.on:
        return Row(symbols.bad, "Switch", Text(f"{switch} is still on{detail}"), UNSURE)
    return Row(symbols.good, "Switch", Text(f"{switch} is off{detail}"), GOOD)


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
