"""How an incident begins and ends, as Prefect tasks: shown, and tried again where that can heal."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks import opening, postmortem, waiting
from tasks.retries import is_transient

open_incident = task(
    name="open incident",
    task_run_name="open incident",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=[1, 2, 5],
    retry_condition_fn=is_transient,
)(opening.open_incident)
note_pause = task(name="wait for a person", task_run_name="wait for a person", cache_policy=NO_CACHE)(
    waiting.note_pause
)
withdraw_question = task(name="withdraw question", task_run_name="withdraw question", cache_policy=NO_CACHE)(
    opening.withdraw_question
)
withdraw_outdated_question = task(
    name="withdraw outdated question", task_run_name="withdraw outdated question", cache_policy=NO_CACHE
)(opening.withdraw_outdated_question)
resolve = task(name="resolve", task_run_name="resolve", cache_policy=NO_CACHE)(opening.resolve)
close = task(name="close", task_run_name="close", cache_policy=NO_CACHE)(opening.close)
draft_postmortem = task(
    name="draft post-mortem",
    task_run_name="draft post-mortem",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=is_transient,
)(postmortem.draft_postmortem)
