"""The one way in which the runbook changes anything outside: observed before, journalled around.

What if the process dies here? Before the intent: nothing happened. Between intent and outcome: the next
run finds an intent without an outcome and reads the target before it does anything. After the outcome:
the effect is never done again.
"""

from collections.abc import Awaitable, Callable

from pydantic import JsonValue

from blocks.errors import OutsideError, Refused, Unavailable
from runbook.effects import Effect, EffectOutcome
from runbook.events import ApprovalAnswered, EffectIntended, EffectSettled
from runbook.gates import Choice
from runbook.incident import Incident
from tasks.incident import OpenIncident

Receipt = dict[str, JsonValue]
Observe = Callable[[], Awaitable[Receipt | None]]
Act = Callable[[], Awaitable[Receipt]]

SETTLED = (EffectOutcome.APPLIED, EffectOutcome.ALREADY_IN_PLACE)


class NotAuthorised(PermissionError):
    """An effect without an approval in the journal. A fault of ours, never of the outside."""


async def carry_out(incident: OpenIncident, effect: Effect, *, observe: Observe, act: Act) -> Effect:
    """Bring an effect about exactly once, as far as the target lets us see it.

    `observe` returns a receipt where the target shows the effect already, else `None`. `act` does it.
    Returns the effect with its outcome: applied, already in place, failed (certainly not done), or
    unsettled (a person must look).

    Raises:
        NotAuthorised: the journal holds no approval for it.
    """
    journal = await incident.read()
    known = journal.effects.get(effect.id)
    if known is not None and known.outcome in SETTLED:
        return known
    _require_authority(journal, effect)
    interrupted = known is not None and known.outcome in (None, EffectOutcome.UNSETTLED)
    try:
        seen = await observe()
    except OutsideError as error:
        outcome = EffectOutcome.UNSETTLED if interrupted else EffectOutcome.FAILED
        return await _settle(incident, effect, outcome, detail=f"could not be observed: {error}")
    if seen is not None:
        outcome = EffectOutcome.APPLIED if interrupted else EffectOutcome.ALREADY_IN_PLACE
        return await _settle(incident, effect, outcome, receipt=seen)
    await incident.record(EffectIntended(effect=effect))
    try:
        receipt = await act()
    except Refused as error:
        return await _settle(incident, effect, EffectOutcome.FAILED, detail=str(error))
    except Unavailable as error:
        if error.may_have_landed:
            return await _read_back(incident, effect, observe, error)
        return await _settle(incident, effect, EffectOutcome.FAILED, detail=str(error))
    return await _settle(incident, effect, EffectOutcome.APPLIED, receipt=receipt)


async def _read_back(incident: OpenIncident, effect: Effect, observe: Observe, error: Unavailable) -> Effect:
    """The answer was lost: the request may have taken effect all the same."""
    try:
        seen = await observe()
    except OutsideError as again:
        detail = f"the answer was lost ({error}) and the target cannot be read ({again})"
        return await _settle(incident, effect, EffectOutcome.UNSETTLED, detail=detail)
    if seen is not None:
        return await _settle(incident, effect, EffectOutcome.APPLIED, receipt=seen)
    return await _settle(incident, effect, EffectOutcome.FAILED, detail=str(error))


async def _settle(
    incident: OpenIncident,
    effect: Effect,
    outcome: EffectOutcome,
    *,
    detail: str = "",
    receipt: Receipt | None = None,
) -> Effect:
    settled = effect.model_copy(update={"outcome": outcome, "detail": detail, "receipt": receipt or {}})
    await incident.record(EffectSettled(effect=settled))
    return settled


def _require_authority(journal: Incident, effect: Effect) -> None:
    """A policy is the configuration's word; an approval must stand in the journal, for this very plan."""
    if effect.authority.kind == "policy":
        return
    gate = effect.authority.reference
    for event in journal.events(ApprovalAnswered):
        if event.gate == gate and event.answer.choice is Choice.APPROVE:
            plan = journal.previews.get(event.action_id)
            of_this_action = effect.id.startswith(f"{journal.id}/{event.action_id}/")
            if of_this_action and plan is not None and plan.digest == event.plan_digest:
                return
    raise NotAuthorised(f"{effect.id}: gate {gate!r} holds no approval of it")
