"""Changes of the bench that were approved, or made."""

from runbook.actions.catalogue import ActionOutcome, ChangePlan, PlannedAction
from runbook.incidents.events import ApprovalAnswered
from tests.tasks.changes import KnownChange
from tests.tasks.mitigation_bench import Bench


async def approved(bench: Bench, change: KnownChange) -> tuple[PlannedAction, ChangePlan, ApprovalAnswered]:
    """The change, possible, previewed and approved."""
    action = await change.planned(bench.world)
    await bench.quiet()
    decision = await bench.approve(action)
    return action, await bench.preview(action), decision


async def made(bench: Bench, change: KnownChange) -> PlannedAction:
    """The change, made."""
    action, plan, decision = await approved(bench, change)
    result = await bench.make(plan, decision)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    await bench.quiet()
    return action
