"""Leave the paper runbook where people find it when nothing of ours answers: beside the evidence."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.environment import Environment
from blocks.evidence_folder import write_evidence
from runbook.incident import Incident
from runbook.paper import Places, paper_runbook
from tasks.by_hand import target_of
from tasks.incident import OpenIncident, now

PAPER = "paper-runbook.md"


@task(name="leave paper", task_run_name="leave paper", cache_policy=NO_CACHE)
async def leave_paper(incident: OpenIncident) -> str:
    """Write the paper runbook into the incident's folder of evidence; returns its path."""
    text = paper_of(await incident.read(), incident.environment)
    folder = incident.environment.evidence
    await write_evidence(folder, f"{incident.id}/{PAPER}", text.encode())
    return f"{folder.basepath}/{incident.id}/{PAPER}"


def paper_of(incident: Incident, environment: Environment) -> str:
    """The paper runbook of an incident, with this environment's places."""
    policy = environment.runbook_policy.policy
    return paper_runbook(incident, places_of(environment), policy, at=now())


def places_of(environment: Environment) -> Places:
    """Where everything is in this environment; addresses, and no credential."""
    prometheus, slack = environment.prometheus, environment.slack
    return Places(
        target=target_of(environment.cluster),
        selector=environment.cluster.selector,
        status_page_url=environment.status_page.url,
        health_url=environment.integration.health_url,
        prometheus_url=prometheus.url.rstrip("/"),
        error_rate_query=prometheus.queries.errors_by_status,
        errors_metric=prometheus.errors_metric,
        ingest_url=environment.posthog.ingest_url,
        slack_channel=slack.channel if slack else "",
    )
