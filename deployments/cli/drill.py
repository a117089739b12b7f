"""`runbook drill`: respond to a simulated incident; everything is real except the world."""

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import JsonOption, Switch
from deployments.cli.output import console, print_json, warn

DEFAULT_SCENARIO = "posthog-outage"


async def drill(
    scenario: str = DEFAULT_SCENARIO,
    /,
    *,
    approve: Literal["ask", "auto", "reject", "slack"] | None = None,
    keep: Switch = False,
    only_list: Annotated[bool, Parameter(name="--list", show_default=False)] = False,
    json: JsonOption = False,
) -> int:
    """Respond to a simulated incident, end to end.

    The world is simulated (PostHog, cluster, Slack and others); Prefect, the receiver, the flows and their
    approvals are the real ones, with shorter clocks. Exits with 0 if the incident ends as expected.

    Parameters
    ----------
    scenario
        What goes wrong; `--list` shows all.
    approve
        Who answers the gates: you (ask), or the drill itself with yes (auto) or no (reject), or with yes by
        the buttons in its Slack (slack). By default you, if this is a terminal.
    keep
        Leave the world, Prefect and its UI running afterwards, until Ctrl-C.
    only_list
        List the scenarios.
    """
    from deployments.drill.run.scenario import load_scenario

    if only_list:
        return _list(json)
    try:
        chosen = load_scenario(scenario)
    except LookupError as error:
        problem = str(error).strip("'\"").split(";")[0]
        raise CommandError(problem, "`runbook drill --list` shows all", code=ExitCode.USAGE) from None
    if approve is None:
        at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        approve = "ask" if at_terminal else "auto"
        if not at_terminal:
            warn("no terminal: the drill approves by itself (--approve auto)")
    from deployments.drill.run.drill import Drill
    from deployments.drill.run.report import DrillResult, print_summary

    out = console(sys.stderr if json else sys.stdout)

    def finished(result: DrillResult) -> None:
        print_summary(out, result)
        if json:
            print_json(result.as_json())

    result = await Drill(chosen, out, approve=approve, keep=keep, finished=finished).run()
    return ExitCode.OK if result.as_expected else ExitCode.FAILED


def _list(json: bool) -> int:
    from deployments.drill.run.scenario import load_scenario, scenario_names

    scenarios = [load_scenario(name) for name in scenario_names()]
    if json:
        print_json([{"name": item.name, "title": item.title, "story": item.story} for item in scenarios])
        return ExitCode.OK
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for item in scenarios:
        table.add_row(item.name, item.title)
    console().print(table)
    return ExitCode.OK
