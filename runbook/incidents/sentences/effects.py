"""Effects, actions and switches, in sentences."""

from runbook.actions.catalogue import ActionOutcome
from runbook.channels.untold import NOBODY
from runbook.channels.wording import ACTION_OUTCOMES
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.OutageNoted) -> str:
    return f"{event.action_id} waits for the cluster: {event.because}"


@sentence.register
def _(event: e.OutageEnded) -> str:
    return f"The cluster answers again: {event.action_id} continues"


@sentence.register
def _(event: e.EffectIntended) -> str:
    return f"Started: {event.effect.summary} ({event.effect.target})"


@sentence.register
def _(event: e.EffectSettled) -> str:
    effect = event.effect
    if effect.kind == NOBODY:
        return f"Nobody could be told: {effect.detail} ({effect.summary})"
    words = {
        EffectOutcome.APPLIED: "Done",
        EffectOutcome.ALREADY_IN_PLACE: "Already in place",
        EffectOutcome.FAILED: "Failed",
        EffectOutcome.UNSETTLED: "Not known whether it happened, a person must check",
    }
    outcome = words[effect.outcome] if effect.outcome else "Not known whether it happened"
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
def _(event: e.SwitchChecked) -> str:
    found = {True: "is still on", False: "is off", None: "may still be on"}[event.on]
    untold = "" if event.told else " (nobody was notified: [slack] is not configured)"
    return f"{event.switch} {found}{f': {event.detail}' if event.detail else ''}{untold}"


@sentence.register
def _(event: e.ChangeReverted) -> str:
    return f"{event.action_id}: {event.reversal}"


@sentence.register
def _(event: e.ManualChangeSeen) -> str:
    return f"Somebody has changed {event.target}: {event.writing}"
