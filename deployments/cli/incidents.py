"""`runbook incidents` and `runbook incident`: what happened, and what is asked now."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption, Reference
from deployments.cli.output import console, print_json, write
from deployments.cli.people.confirming import approve_command

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from runbook.incidents.incident import Incident


async def incidents(
    *,
    only_open: Annotated[bool, Parameter(name="--open", show_default=False)] = False,
    limit: int = 20,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """List the newest incidents.

    Parameters
    ----------
    only_open
        Leave closed incidents out.
    limit
        How many to list at most.
    """
    from deployments.cli.sources import find_sources
    from runbook.incidents.summary import headline

    store = await find_sources(config, environment).store()
    found = await store.incidents(only_open=only_open, limit=limit)
    if json:
        print_json([headline(item) for item in found])
    elif found:
        console().print(_table(found))
    else:
        write("no open incident" if only_open else "no incident yet")
    return ExitCode.OK


async def incident(
    incident: Reference,
    /,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Show one incident and what it asks for."""
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident
    from runbook.incidents.summary import everything

    store = await find_sources(config, environment).store()
    found = await find_incident(store, incident)
    if json:
        print_json(everything(found))
    else:
        print_incident(console(), found, config=config)
    return ExitCode.OK


async def paper(
    incident: Reference,
    /,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
) -> int:
    """Print an incident's steps to go on by hand, with its values and the exact commands.

    With a settings file this needs nothing but the incident store: neither Prefect nor any other system.
    """
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident, require_own
    from tasks.evidence.paper import paper_of

    systems = await find_sources(config, environment).systems()
    found = await find_incident(systems.store, incident)
    require_own(found, systems.name)
    write(paper_of(found, systems).rstrip("\n"))
    return ExitCode.OK


def print_incident(out: "Console", found: "Incident", *, config: Path | None = None) -> None:
    """Header, timeline and, last, what someone has to answer; `config` is the file that was given."""
    from deployments.progress import Progress

    _print_header(out, found)
    out.print()
    progress = Progress(out, opened_at=found.opened_at, clock=True)
    for recorded in found.journal:
        progress.show(recorded)
    if gate := found.pending_gate:
        from deployments.progress import print_question

        out.print()
        print_question(out, gate, found.previews.get(gate.action_id))
        given = f" --config {shlex.quote(str(config))}" if config else ""
        for head, answer in (
            ("Answer:", approve_command(found.id, gate.plan_digest, config)),
            ("", f"runbook reject {found.id} --reason TEXT{given}"),
        ):
            out.print(f"{head:<9}{answer}", soft_wrap=True, markup=False, highlight=False)


def _print_header(out: "Console", found: "Incident") -> None:
    from rich.text import Text

    from deployments.progress.parts import fact_lines
    from runbook.channels.wording import OUTCOMES, REHEARSAL, VERDICT_TITLES
    from runbook.incidents.summary import flow_run_url

    if found.dry_run:
        out.print(Text(REHEARSAL, style="bold yellow"))
    title = Text(f"{found.id}  ", style="bold")
    title.append(f"{found.severity.severity if found.severity else 'P?'}  {found.state}", style="bold cyan")
    out.print(title)
    decision, outcome = found.decision, found.outcome
    out.print(
        fact_lines(
            {
                "service": found.service,
                "alert": f"{found.alert.name}: {found.alert.summary}",
                "verdict": f"{VERDICT_TITLES[decision.verdict]}, {decision.error_type.heading}"
                if decision
                else "",
                "outcome": OUTCOMES[outcome] if outcome else "",
            }
        )
    )
    if url := flow_run_url(found):
        out.print(Text(f"run:     {url}"), soft_wrap=True)  # unwrapped, to be copied


def _table(found: list["Incident"]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from runbook.channels.wording import OUTCOMES, VERDICT_TITLES

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("incident", "opened (UTC)", "sev", "state", "what it is"):
        table.add_column(name, no_wrap=name != "what it is")
    for item in found:
        verdict = VERDICT_TITLES[item.decision.verdict] if item.decision else item.alert.name
        what = Text(f"rehearsal: {verdict}" if item.dry_run else verdict)
        if item.outcome:
            what.append(f", {OUTCOMES[item.outcome]}")
        if gate := item.pending_gate:
            plan = item.previews.get(gate.action_id)
            what.append(f"\nasks: {plan.action.spec.title if plan else gate.action_id}?", style="bold yellow")
        table.add_row(
            item.id,
            f"{item.opened_at:%Y-%m-%d %H:%M}",
            item.severity.severity.value if item.severity else "-",
            Text(item.state.value, style="dim" if item.closed else "bold"),
            what,
        )
    return table
