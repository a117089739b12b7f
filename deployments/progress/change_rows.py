"""What people read of a change: its preview, the answers to it, its effects and its end."""

from typing import assert_never

from rich.console import RenderableType
from rich.text import Text

from deployments.progress.parts import change_lines, diff_lines
from deployments.progress.row import Row
from deployments.progress.symbols import (
    BAD,
    GOOD,
    LOUD,
    OUTCOME_STYLES,
    QUIET,
    UNSURE,
    Symbols,
    plain,
)
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.approvals.gates import Choice
from runbook.channels.untold import NOBODY
from runbook.channels.wording import ACTION_OUTCOMES, INSTEAD
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome

ANNOUNCING = ("announce", "publish_from", "remind")
"""Policies whose messages are journalled as an announcement, a hand-off or a reminder of their own."""


def drift_row(event: e.PlanDrifted, symbols: Symbols) -> Row:
    """A plan that is not what people were asked about any more."""
    void = f"; the approval of {', '.join(event.voided)} is void" if event.voided else ""
    text = Text(f"the plan that was shown is no longer valid{plain(void)}")
    return Row(symbols.bad, "Drifted", text, BAD, (diff_lines("\n".join(event.because)),))


def preview_row(plan: ChangePlan, symbols: Symbols) -> Row:
    """What a change would do."""
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


def answer_row(event: e.ApprovalAnswered, symbols: Symbols) -> Row:
    """What a person answered to a question."""
    answer = event.answer
    how = f"{answer.channel}, {answer.known_by}" if answer.known_by else answer.channel
    by = f"by {plain(answer.approver)} ({plain(how)})"
    if answer.reason:
        by += f": {plain(answer.reason)}"
    match answer.choice:
        case Choice.APPROVE:
            return Row(symbols.good, "Approved", Text(by), GOOD)
        case Choice.REJECT:
            instead = f"; {INSTEAD[answer.instead]}" if answer.instead else ""
            return Row(symbols.bad, "Rejected", Text(f"{by}{instead}"), BAD)
        case Choice.EDIT:
            edits = ", ".join(f"{name} = {value}" for name, value in answer.parameters.items())
            return Row(symbols.unknown, "Edited", Text(f"{plain(edits)} {by}"), UNSURE)
        case Choice.SNOOZE:
            return Row(symbols.unknown, "Not yet", Text(by), UNSURE)
        case _:
            assert_never(answer.choice)


def intent_row(effect: Effect, symbols: Symbols) -> Row | None:
    """A request that is about to be made; `None` for a message."""
    if not effect.is_change:
        return None  # a message takes a moment; its outcome says enough
    return Row(symbols.work, "Applying", Text(plain(effect.summary), style=QUIET), QUIET)


def effect_row(effect: Effect, symbols: Symbols) -> Row | None:
    """What became of a request or a message; `None` where another event says it."""
    text = Text(plain(effect.summary))
    if effect.kind == NOBODY:
        return Row(symbols.bad, "Not told", Text(f"nobody could be told: {plain(effect.detail)}"), BAD)
    if not effect.is_change and effect.outcome is EffectOutcome.APPLIED:
        if effect.authority.reference in ANNOUNCING or effect.message.edited:
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
            text.append(" (not known whether it happened: check)", style=f"bold {UNSURE}")
            return Row(symbols.unknown, "In doubt", text, UNSURE)
        case _:
            assert_never(effect.outcome)


def result_row(event: e.ActionFinished, symbols: Symbols) -> Row:
    """How an action ended."""
    result = event.result
    style = OUTCOME_STYLES[result.outcome]
    sign = {GOOD: symbols.good, BAD: symbols.bad}.get(style, symbols.unknown)
    if result.outcome is ActionOutcome.HANDED_OFF:
        sign = symbols.told
    text = Text(f"{result.action.spec.title}: {ACTION_OUTCOMES[result.outcome]}", style="bold")
    if result.detail:
        text.append(f", {plain(result.detail)}", style="not bold")
    return Row(sign, "Action", text, style)
