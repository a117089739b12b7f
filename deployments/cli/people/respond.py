"""`runbook respond`: start the response by hand, as the Prefect UI does."""

from dataclasses import replace

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption, SeverityWord, Switch
from deployments.cli.output import print_json, write
from deployments.cli.people.account import account


async def respond(
    *,
    summary: str,
    service: str = "posthog-integration",
    severity: SeverityWord | None = None,
    dry_run: Switch = False,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Start the response by hand.

    Parameters
    ----------
    summary
        What you see, in one line.
    service
        The service that is in trouble. Its environment is the one that `[services]` names.
    severity
        Your own estimate; it decides if there are not enough facts.
    dry_run
        A rehearsal: do everything except change the cluster, page somebody or publish.
    """
    from prefect.exceptions import ObjectNotFound
    from prefect.utilities.urls import url_for

    from blocks.transport.translating import bare_url
    from deployments.cli.sources import find_sources, prefect_client
    from runbook.alerts.alert import MAX_SUMMARY
    from runbook.outside_text import let_in, let_in_name
    from tasks.caretaking.runs import DEPLOYMENT

    sources = find_sources(config, environment)
    if environment is None and (theirs := sources.environment_of(service)):
        sources = replace(sources, environment=theirs)
        await sources.policy()  # a run of an environment that is not saved would fail
    parameters = {
        "service": let_in_name(service),  # Prefect keeps them as they are given
        "summary": let_in(summary, MAX_SUMMARY),
        "severity": severity,
        "requested_by": let_in_name(account()),
        "dry_run": dry_run,
        "environment": sources.environment_name(),
    }
    async with prefect_client(config) as client:
        try:
            deployment = await client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound:
            raise CommandError(
                f"Prefect has no deployment {DEPLOYMENT}",
                "run `runbook configure FILE`",
                code=ExitCode.NOTHING,
            ) from None
        run = await client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        link = url_for(run)
    url = bare_url(link) if link else ""
    if json:
        print_json({"flow_run": str(run.id), "name": run.name, "url": url})
    else:
        write(f"{run.id}  {url}".rstrip())
    return ExitCode.OK
