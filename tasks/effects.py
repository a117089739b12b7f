"""The one way in which the runbook changes anything outside: observed before, journalled around.

What if the process dies here? Before the intent: nothing happened. Between intent and outcome: the next
run finds an intent without an outcome and reads the target before it does anything. After the outcome:
the effect is never done again.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from pydantic import JsonValue

from blocks.transport.errors import Conflict, OutsideError, Refused, Unavailable
from runbook.approvals.approvals import decided
from runbook.approvals.gates import Choice
from runbook.incidents.effect_ids import EffectId, change_id
from runbook.incidents.effects import NOT_REACHED, SUCCEEDED, TITLE_KEPT, Effect, EffectOutcome
from runbook.incidents.events import EffectIntended, EffectSettled
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from runbook.public.gate import is_approved_text
from tasks.incident import OpenIncident, now

Receipt = dict[str, JsonValue]
Observe = Callable[[], Awaitable[Receipt | None]]
Act = Callable[[], Awaitable[Receipt]]
Fence = Callable[[], Awaitable[None]]
"""Raises where somebody else has taken over, see `blocks.store.lease`."""


SINCE = "since"
"""In a receipt: who has changed what the effect had made, where that is no longer in place."""


async def no_traces() -> Receipt | None:
    """For effects that stay where they are once they are made."""
    return None


async def no_fence() -> None:
    """For effects on what no lease guards: messages, of which the target tells one from two."""


class NotAuthorised(PermissionError):
    """An effect without an approval in the journal. A defect of the runbook, never of an outside system."""


async def carry_out(
    incident: OpenIncident,
    effect: Effect,
    *,
    observe: Observe,
    act: Act,
    traces: Observe = no_traces,
    fence: Fence = no_fence,
) -> Effect:
    """Bring an effect about exactly once, as far as the target lets us see it.

    `observe` returns a receipt where the target shows the effect already, else `None`. `act` does it.
    `traces` returns one where the target shows that it was made once, though somebody has changed the same
    since: what may have been made before is asked for these, and is not made again.
    The incident's fence and `fence`, that of the target, are asked before the intent is written and again
    before the act. Returns the effect with its outcome: applied, already in place, failed (certainly not
    done), or in doubt (a person must check).

    Raises:
        NotAuthorised: the journal has no approval for it.
        Conflict: the target is not what the effect was planned for; nothing was done, which is journalled.
        LeaseLost: somebody else has taken over; nothing was done.
    """
    journal = await incident.read()
    known = journal.effects.get(effect.id)
    if known is not None and known.outcome in SUCCEEDED:
        return known
    _require_authority(journal, effect, incident.policy)
    interrupted = known is not None and known.outcome in (None, EffectOutcome.UNSETTLED)
    try:
        seen = await _seen(observe, traces) if interrupted else await observe()
    except OutsideError as error:
        outcome = EffectOutcome.UNSETTLED if interrupted else EffectOutcome.FAILED
        recorded = await _record(incident, effect, outcome, detail=f"could not be observed: {error}")
        if isinstance(error, Conflict) and not interrupted:
            raise
        return recorded
    if seen is not None:
        outcome = EffectOutcome.APPLIED if interrupted else EffectOutcome.ALREADY_IN_PLACE
        return await _record(incident, effect, outcome, receipt=seen)
    await _pass(incident.fence, fence)
    await incident.record(EffectIntended(effect=effect))
    await _pass(incident.fence, fence)
    try:
        receipt = await act()
    except Conflict as error:
        await _record(incident, effect, EffectOutcome.FAILED, detail=str(error))
        raise
    except Refused as error:
        return await _record(incident, effect, EffectOutcome.FAILED, detail=str(error))
    except Unavailable as error:
        if error.may_have_landed:
            return await _read_back(incident, effect, observe, traces, error)
        failed = effect.model_copy(update={"not_before": _not_before(error)})
        return await _record(incident, failed, EffectOutcome.FAILED, detail=str(error))
    detail = "; ".join(str(receipt[said]) for said in (NOT_REACHED, TITLE_KEPT) if said in receipt)
    return await _record(incident, effect, EffectOutcome.APPLIED, detail=detail, receipt=receipt)


async def read_outcome(
    incident: OpenIncident, effect: Effect, *, observe: Observe, traces: Observe = no_traces
) -> Effect:
    """Tell of an intent whose process is gone what became of it, by what the target shows; nothing is done.

    The effect stays in doubt where the target cannot be read.
    """
    try:
        seen = await _seen(observe, traces)
    except OutsideError:
        return effect
    if seen is not None:
        return await _record(incident, effect, EffectOutcome.APPLIED, receipt=seen)
    detail = "its process ended before it could report it, and the target does not show the change"
    return await _record(incident, effect, EffectOutcome.FAILED, detail=detail)


async def _pass(*fences: Fence) -> None:
    for fence in fences:
        await fence()


async def _seen(observe: Observe, traces: Observe) -> Receipt | None:
    return await observe() or await traces()


async def _read_back(
    incident: OpenIncident, effect: Effect, observe: Observe, traces: Observe, error: Unavailable
) -> Effect:
    """The answer was lost: the request may have taken effect anyway."""
    try:
        seen = await _seen(observe, traces)
    except OutsideError as again:
        detail = f"the answer was lost ({error}) and the target cannot be read ({again})"
        return await _record(incident, effect, EffectOutcome.UNSETTLED, detail=detail)
    if seen is not None:
        return await _record(incident, effect, EffectOutcome.APPLIED, receipt=seen)
    return await _record(incident, effect, EffectOutcome.FAILED, detail=str(error))


def _not_before(error: Unavailable) -> datetime | None:
    wished = error.retry_after_seconds
    return now() + timedelta(seconds=wished) if wished else None


async def _record(
    incident: OpenIncident,
    effect: Effect,
    outcome: EffectOutcome,
    *,
    detail: str = "",
    receipt: Receipt | None = None,
) -> Effect:
    recorded = effect.model_copy(update={"outcome": outcome, "detail": detail, "receipt": receipt or {}})
    await incident.record(EffectSettled(effect=recorded))
    return recorded


def _require_authority(journal: Incident, effect: Effect, policy: Policy) -> None:
    """A policy is the configuration's word; an approval stands in the journal, for this very plan or text."""
    if effect.authority.kind == "policy":
        return
    gate = effect.authority.reference
    if is_approved_text(journal, effect, policy):
        return
    for plan in journal.previews.values():
        if EffectId(effect.id).change == change_id(journal.id, plan.action.id):
            answer = decided(journal, plan, policy)
            if answer is not None and answer.gate == gate and answer.answer.choice is Choice.APPROVE:
                return
    raise NotAuthorised(f"{effect.id}: gate {gate!r} has no approval of it")
