"""`runbook incidents` and `runbook incident`: what happened, and what is asked now."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption, Reference
from deployments.cli.output import console, print_json, warn, write
from deployments.cli.people.confirming import approve_command
from deployments.progress.pasting import pasted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from deployments.cli.people.door import Door
    from runbook.incidents.incident import Incident


State = Literal["investigating", "identified", "mitigating", "monitoring", "resolved", "closed"]


async def incidents(
    *,
    only_open: Annotated[bool, Parameter(name="--open", show_default=False)] = False,
    waiting: Annotated[bool, Parameter(show_default=False)] = False,
    service: Annotated[str, Parameter(show_default=False)] = "",
    state: Annotated[State | None, Parameter(show_default=False)] = None,
    since: Annotated[str, Parameter(show_default=False)] = "",
    search: Annotated[str, Parameter(show_default=False)] = "",
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 20,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """List the newest incidents; with RUNBOOK_URL, those of the receiver there.

    Parameters
    ----------
    only_open
        Leave out closed incidents.
    waiting
        Only those that wait for an answer or for a person.
    service
        Only those of this service.
    state
        Only those that are in this state.
    since
        Only those that were opened since then: 2026-11-22, a time with its zone, or 7d, 12h, 30m ago.
    search
        Only those with this text in id, service, alert, verdict, lead or question.
    limit
        How many to list at most.
    """
    from deployments.cli.people.door import find_remote
    from deployments.cli.people.elsewhere import MOST, read_list
    from deployments.cli.sources import find_sources
    from deployments.services.finding import SEARCHED
    from runbook.incidents.summary import Wanted, headline

    wanted = Wanted(waiting=waiting, service=service, state=state or "", search=search, since=_since(since))
    if remote := find_remote():
        most = limit if wanted.everything else MOST
        found = await read_list(remote, only_open=only_open, limit=most)
    else:
        most = limit if wanted.everything else SEARCHED
        store = await find_sources(config, environment).store()
        found = [headline(item) for item in await store.incidents(only_open=only_open, limit=most)]
    looked_through = len(found)
    found = [item for item in found if wanted.takes(item)][:limit]
    if looked_through == most and not wanted.everything and len(found) < limit:
        warn(f"only the newest {most} incidents were looked through")
    if json:
        print_json(found)
    elif found:
        out = console()
        out.print(_table(found, wide=out.width >= _WIDE))
    else:
        write(_none(only_open=only_open, filtered=not wanted.everything))
    return ExitCode.OK


def _none(*, only_open: bool, filtered: bool) -> str:
    if filtered:
        return "no such incident"
    return "no open incident" if only_open else "no incident yet"


_AGO = re.compile(r"(?P<number>[1-9]\d{0,5})(?P<unit>[dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def _since(text: str) -> datetime | None:
    """The time that is meant (aware UTC); `None` for no text.

    Raises:
        CommandError: it is none.
    """
    if not text:
        return None
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!a} is no time", "write 2026-11-22, 7d, 12h or 30m", code=ExitCode.USAGE
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


async def incident(
    incident: Reference,
    /,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Show one incident and its open question; with RUNBOOK_URL, as the receiver there has it."""
    from deployments.cli.people.door import find_remote
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident
    from runbook.incidents.summary import everything

    if remote := find_remote():
        return await _show_from(remote, incident, json=json)
    store = await find_sources(config, environment).store()
    found = await find_incident(store, incident)
    if json:
        print_json(everything(found))
    else:
        print_incident(console(), found, config=config)
    return ExitCode.OK


async def _show_from(remote: "Door", reference: str, *, json: bool) -> int:
    from deployments.cli.people.elsewhere import incident_of, left_out, read_one

    answer = await read_one(remote, reference)
    if json:
        print_json(answer)
        return ExitCode.OK
    if number := left_out(answer):
        warn(f"{number} older events are not shown: `runbook incident` on the receiver's machine has them")
    print_incident(console(), incident_of(remote, answer))
    return ExitCode.OK


async def paper(
    incident: Reference,
    /,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
) -> int:
    """Print the steps to continue an incident by hand, with its values and the exact commands.

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
    from runbook.incidents.timeline import in_order, without_repeats

    _print_header(out, found)
    out.print()
    progress = Progress(out, opened_at=found.opened_at, clock=True)
    for recorded in without_repeats(in_order(found.journal)):
        progress.show(recorded)
    if gate := found.pending_gate:
        from deployments.progress import print_question

        out.print()
        print_question(out, gate, found.previews.get(gate.action_id))
        for head, command in (
            ("Answer:", approve_command(found.id, gate.plan_digest, config)),
            ("", pasted("reject", found.id, "--reason", "TEXT", config=config)),
        ):
            out.print(f"{head:<9}{command}", soft_wrap=True, markup=False, highlight=False)
    elif found.pause is not None:
        end = pasted("resolve", found.id, "--outcome", "recovered", "--reason", "TEXT", config=config)
        out.print()
        out.print(f"End it:  {end}", soft_wrap=True, markup=False, highlight=False)


def _print_header(out: "Console", found: "Incident") -> None:
    from rich.text import Text

    from deployments.progress.parts import fact_lines
    from deployments.progress.symbols import plain
    from runbook.channels.untold import untold
    from runbook.channels.wording import OUTCOMES, REHEARSAL, VERDICT_TITLES
    from runbook.incidents.people import acknowledged_by, comms_lead_of, lead_of
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
                "waits": f"for a person: {found.pause.because}" if found.pause else "",
                "lead": lead_of(found) or "",
                "comms": comms_lead_of(found) or "",
                "acked": ", ".join(acknowledged_by(found)),
            }
        )
    )
    for each in untold(found):
        out.print(Text(plain(each.sentence), style="bold red"), soft_wrap=True)
    if url := flow_run_url(found):
        out.print(Text(f"run:     {url}"), soft_wrap=True)  # unwrapped, to be copied


def _table(found: list[dict[str, Any]], *, wide: bool) -> "Table":
    """A line for each headline, see `runbook.incidents.summary.headline`."""
    from rich.table import Table
    from rich.text import Text

    from deployments.progress.symbols import first_line, plain

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("incident", "opened (UTC)", "sev", "state", "what it is"):
        table.add_column(name, no_wrap=name != "what it is")
    if wide:
        table.add_column("lead", no_wrap=True, max_width=_LEAD_WIDTH)
    for item in found:
        what, lead = Text(_what(item)), plain(str(item.get("lead") or ""))
        if lead and not wide:
            what.append(f"\nlead: {lead}", style="dim")
        if item.get("asks"):
            what.append(f"\nasks: {first_line(str(item['asks']))}", style="bold yellow")
        elif item.get("waits_for") == "person":
            what.append("\nwaits for a person", style="bold yellow")
        table.add_row(
            str(item.get("incident")),
            str(item.get("opened_at"))[:16].replace("T", " "),
            str(item.get("severity") or "-"),
            Text(str(item.get("state")), style="bold" if item.get("open") else "dim"),
            what,
            *([Text(lead or "-")] if wide else []),
        )
    return table


_WIDE = 100
"""From so many columns on, the list has one for the lead; else the lead has a line of its own."""

_LEAD_WIDTH = 16
"""Columns of the list for a name; a longer one is cut there, and whole in the view of the incident."""


def _what(item: dict[str, Any]) -> str:
    """Verdict and outcome in words, where this release has words for them."""
    from runbook.channels.wording import OUTCOMES, VERDICT_TITLES

    verdicts = {verdict.value: title for verdict, title in VERDICT_TITLES.items()}
    outcomes = {outcome.value: words for outcome, words in OUTCOMES.items()}
    verdict, outcome = item.get("verdict"), item.get("outcome")
    what = verdicts.get(str(verdict), str(verdict)) if verdict else str(item.get("alert_name") or "")
    ended = f", {outcomes.get(str(outcome), str(outcome))}" if outcome else ""
    return f"{'rehearsal: ' if item.get('dry_run') else ''}{what}{ended}"
