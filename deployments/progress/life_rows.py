"""What leads an incident through its life, as rows: pauses, looks, ends, reopenings, and the public page."""

from typing import assert_never

from rich.text import Text

from deployments.progress.parts import words
from deployments.progress.row import Row
from deployments.progress.symbols import BAD, GOOD, LOUD, QUIET, UNSURE, Symbols, plain
from runbook.incidents import events as e
from runbook.incidents.sentences import sentence

LifeEvent = (
    e.ResponsePaused
    | e.ClockReminded
    | e.ReminderSnoozed
    | e.FactsChecked
    | e.FactsChanged
    | e.StateForced
    | e.IncidentResolved
    | e.IncidentMerged
    | e.IncidentAbsorbed
    | e.IncidentReopened
    | e.IncidentClosed
    | e.PublicIncidentSeen
    | e.PublicTextRefused
    | e.PublicTextProposed
    | e.PublicTextApproved
    | e.PublicTextWithheld
    | e.PublicUpdateSeen
)


def life_row(event: LifeEvent, symbols: Symbols) -> Row:
    """The row of an event of an incident's life."""
    match event:
        case e.ResponsePaused():
            text = Text(f"{plain(event.because)}; the next look is at {event.next_look_at:%H:%M} UTC")
            return Row(symbols.ask, "Waiting", text, UNSURE)
        case e.ClockReminded() | e.ReminderSnoozed():
            return Row(symbols.ask, "Clock", Text(plain(sentence(event))), UNSURE)
        case e.FactsChecked():
            return Row(
                symbols.event, "Checked", Text(plain(sentence(event))), LOUD if event.changes else QUIET
            )
        case e.FactsChanged():
            return Row(symbols.decision, "Anew", Text(plain(sentence(event))), UNSURE)
        case e.StateForced():
            return Row(symbols.event, "State", Text(plain(sentence(event))), UNSURE)
        case e.IncidentResolved():
            return _end(event, symbols)
        case e.IncidentMerged() | e.IncidentAbsorbed():
            return Row(symbols.event, "Merged", Text(plain(sentence(event))), "bold")
        case e.IncidentReopened():
            return Row(symbols.ask, "Reopened", Text(plain(sentence(event))), UNSURE)
        case e.IncidentClosed():
            return Row(symbols.event, "Closed", Text(words(event.outcome), style="bold"), "bold")
        case e.PublicIncidentSeen() | e.PublicTextRefused() | e.PublicUpdateSeen():
            return Row(symbols.event, "Public", Text(plain(sentence(event))), UNSURE)
        case e.PublicTextProposed():
            return Row(symbols.ask, "Public?", Text(plain(sentence(event))), UNSURE)
        case e.PublicTextApproved() | e.PublicTextWithheld():
            return Row(symbols.event, "Public", Text(plain(sentence(event))), LOUD)
        case _:
            assert_never(event)


def _end(event: e.IncidentResolved, symbols: Symbols) -> Row:
    style = {"not_recovered": BAD, "unknown": UNSURE}.get(event.outcome, GOOD)
    sign = {GOOD: symbols.good, UNSURE: symbols.unknown}.get(style, symbols.bad)
    if event.by:
        return Row(sign, "Ended", Text(plain(sentence(event))), style)
    text = Text(words(event.outcome), style=f"bold {style}")
    if event.because:
        text.append(f": {'; '.join(map(plain, event.because))}", style="default not bold")
    return Row(sign, "Ended", text, style)
