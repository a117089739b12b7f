"""The steps of an action as Prefect tasks: shown, and tried again where that can heal."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from runbook.actions.catalogue import ActionResult, ChangePlan
from runbook.incidents.events import ApprovalAnswered
from tasks.actions import inspect as inspection
from tasks.actions import mitigate, preview, rollout, unfinished_rollout
from tasks.ended import Ended
from tasks.incident import OpenIncident
from tasks.retries import is_transient


async def _make_change(
    incident: OpenIncident, plan: ChangePlan, given: ApprovalAnswered
) -> ActionResult | Ended | None:
    """See `mitigate.make_change`. That a person has ended the incident is a result: no task has failed."""
    try:
        return await mitigate.make_change(incident, plan, given)
    except Ended as ended:
        return ended


wait_for_rollout = task(name="wait for rollout", task_run_name="wait for rollout", cache_policy=NO_CACHE)(
    rollout.wait_for_rollout
)
preview_change = task(
    name="preview change",
    task_run_name="preview {action.name}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 3],
    retry_condition_fn=is_transient,
)(preview.preview_change)
make_change = task(
    name="make change",
    task_run_name="make change {plan.action.name}",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=[1, 3, 10],
    retry_condition_fn=is_transient,
)(_make_change)
inspect = task(name="inspect", task_run_name="inspect {action.name}", cache_policy=NO_CACHE)(
    inspection.inspect
)
tell_of_unfinished_rollout = task(
    name="look for an unfinished rollout",
    task_run_name="look for an unfinished rollout",
    cache_policy=NO_CACHE,
)(unfinished_rollout.tell_of_unfinished_rollout)
