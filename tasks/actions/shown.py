"""The steps of an action as Prefect tasks: shown, and tried again where that can heal."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.actions import inspect as inspection
from tasks.actions import mitigate, preview, rollout, unfinished_rollout
from tasks.retries import is_transient

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
)(mitigate.make_change)
inspect = task(name="inspect", task_run_name="inspect {action.name}", cache_policy=NO_CACHE)(
    inspection.inspect
)
tell_of_unfinished_rollout = task(
    name="look for an unfinished rollout",
    task_run_name="look for an unfinished rollout",
    cache_policy=NO_CACHE,
)(unfinished_rollout.tell_of_unfinished_rollout)
