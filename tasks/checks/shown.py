"""Triage, decision and watch as Prefect tasks."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from runbook.checks.findings import Findings
from tasks.checks import again, decide, triage, watch
from tasks.incident import OpenIncident

decide_response = task(name="decide", task_run_name="decide", cache_policy=NO_CACHE)(decide.decide_response)
note_maintenance = task(name="note maintenance", task_run_name="note maintenance", cache_policy=NO_CACHE)(
    decide.note_maintenance
)
watch_until_recovered = task(
    name="watch until recovered", task_run_name="watch until recovered", cache_policy=NO_CACHE
)(watch.watch_until_recovered)
note_dispute = task(name="note dispute", task_run_name="note dispute", cache_policy=NO_CACHE)(
    again.note_dispute
)
look_again = task(name="look again", task_run_name="look again", cache_policy=NO_CACHE)(again.look_again)
make_check = task(name="check", task_run_name="check {check}", cache_policy=NO_CACHE)(triage.make_check)


@task(name="quick triage", task_run_name="quick triage", cache_policy=NO_CACHE)
async def triage_incident(incident: OpenIncident, *, round: int = 1) -> Findings:
    """Triage with each check as a separate task, see `tasks.checks.triage.triage_incident`."""
    return await triage.triage_incident(incident, round=round, make=make_check)
