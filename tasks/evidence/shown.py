"""Evidence as Prefect tasks: shown, and tried again where that can heal."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.evidence import collect, paper, retention
from tasks.retries import is_transient

collect_evidence = task(
    name="collect evidence",
    task_run_name="collect evidence {collection}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=is_transient,
)(collect.collect_evidence)
leave_paper = task(name="leave paper", task_run_name="leave paper", cache_policy=NO_CACHE)(paper.leave_paper)
find_expired = task(name="find expired", task_run_name="find expired", cache_policy=NO_CACHE)(
    retention.find_expired
)
remove = task(
    name="remove",
    task_run_name="remove {expired.part.value} {expired.incident}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=is_transient,
)(retention.remove)
forget = task(name="forget messages", task_run_name="forget messages", cache_policy=NO_CACHE)(
    retention.forget
)
