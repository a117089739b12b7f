"""`runbook triage` and `runbook health`: read, and change nothing."""

from typing import TYPE_CHECKING

from deployments.cli.errors import ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption
from deployments.cli.output import console, print_json, warn, write

if TYPE_CHECKING:
    from rich.console import Console

    from runbook.checks.findings import Findings
    from runbook.decision.verdict import Decision

UNHEALTHY = "UNHEALTHY"


async def triage(
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Run all checks and walk the decision tree, read-only.

    Opens no incident and changes nothing; with a settings file it works while Prefect is down.
    """
    from deployments.cli.sources import find_sources
    from flows.triage import triage_and_decide

    findings, decision = await triage_and_decide(await find_sources(config, environment).systems())
    if json:
        print_json(
            {
                "findings": findings.model_dump(mode="json")["items"],
                "decision": decision.model_dump(mode="json"),
            }
        )
    else:
        _print(console(), findings, decision)
    return ExitCode.OK


async def health(
    *, config: ConfigOption = None, environment: EnvironmentOption = None, json: JsonOption = False
) -> int:
    """Print the integration's health, or UNHEALTHY.

    The runbook's one-line health check. Exits with 0 if the word is a healthy one, else with 1.
    """
    from blocks.transport.errors import OutsideError
    from deployments.cli.sources import find_sources
    from runbook.checks.health import says_well

    systems = await find_sources(config, environment).systems()
    policy = systems.runbook_policy.policy
    try:
        reading = await systems.integration.read_health()
    except OutsideError as error:
        _tell(UNHEALTHY, str(error), json=json)
        return ExitCode.FAILED
    word = reading.status or ""
    healthy = says_well(word, reading.http_status, healthy_words=policy.healthy_words)
    why = f"{reading.url} answers HTTP {reading.http_status}, status {word or 'not given'}"
    _tell(word if healthy else UNHEALTHY, "" if healthy else why, json=json)
    return ExitCode.OK if healthy else ExitCode.FAILED


def _tell(word: str, why: str, *, json: bool) -> None:
    """The word; why it is not a healthy one, if so."""
    if json:
        print_json({"healthy": not why, "word": word, "because": why or None})
        return
    write(word)
    if why:
        warn(why)


def _print(out: "Console", findings: "Findings", decision: "Decision") -> None:
    from deployments.progress import print_decision, print_findings

    print_findings(out, findings)
    out.print()
    print_decision(out, decision)
