"""Leave the paper runbook where people find it when the runbook does not answer: beside the evidence."""

from blocks.environment import Environment
from blocks.files.evidence_folder import NotWritten, path_of, write_file
from runbook.evidence.paper import Places, paper_runbook
from runbook.incidents.incident import Incident
from tasks.actions.by_hand import target_of
from tasks.evidence.unwritten import note_unwritten
from tasks.incident import OpenIncident, now

PAPER = "paper-runbook.md"


async def leave_paper(incident: OpenIncident) -> None:
    """Write the paper runbook into the incident's folder of evidence; where that cannot be, note so.

    Paging a person comes first, see `how_to_go_on`.
    """
    text = paper_of(await incident.read(), incident.environment)
    name = f"{incident.id}/{PAPER}"
    try:
        await write_file(incident.environment.evidence, name, text.encode())
    except NotWritten as error:
        await note_unwritten(incident, "paper runbook", path_of(incident.environment.evidence, name), error)


def how_to_go_on(incident: OpenIncident) -> str:
    """Where a person who is paged finds the steps, whether or not the file could be written."""
    path = path_of(incident.environment.evidence, f"{incident.id}/{PAPER}")
    return f"To go on by hand: `runbook paper {incident.id}`, or {path}"


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
