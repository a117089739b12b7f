"""One incident at a glance: what it is, what is asked, how to answer, and what comes next.

Commands and addresses have an unbroken line of their own, also where the terminal is narrow.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deployments.progress.parts import diff_lines, fact_lines
from deployments.progress.symbols import QUIET, UNSURE, first_line, plain, symbols_for
from runbook.actions.essence import decisive_lines, essence
from runbook.approvals.awaited import Awaited
from runbook.channels.local_time import clock_after, span
from runbook.channels.next_up import NextUp
from runbook.channels.untold import untold
from runbook.channels.wording import OUTCOMES, REHEARSAL, one_line, verdict_words
from runbook.clocks.response import ResponseClock, response_words
from runbook.incidents.incident import Incident
from runbook.incidents.people import acknowledged_by, comms_lead_of, lead_of, support_of
from runbook.incidents.sentences import sentence
from runbook.incidents.summary import evidence_folder, flow_run_url, postmortem
from runbook.public.proposals import proposals
from runbook.public.refreshing import STAYS_OPEN, left_open

NAMES = 10
"""Columns for the names of facts, which begin each line."""


def print_glance(
    console: Console,
    found: Incident,
    *,
    awaited: Awaited | None,
    coming: Sequence[NextUp],
    commands: Mapping[str, str],
    now: datetime,
    response: ResponseClock | None = None,
    told: str = "",
) -> None:
    """Print the short view; `commands` are what can be done now, by what each does, `now` is aware UTC.

    `response` is the response clock, where it is known; `told` what people are told instead of the state.
    """
    print_heading(console, found)
    console.print(fact_lines(_facts(found, now, response, told), width=NAMES, style="not dim"))
    print_untold(console, found)
    if url := flow_run_url(found):
        print_whole(console, "run:", url)
    if found.resolved:
        for name, path in (("draft:", postmortem(found)), ("evidence:", evidence_folder(found))):
            if path:
                print_whole(console, name, path)
    if found.pending_gate is not None:
        console.print()
        _print_question(console, found, awaited)
    elif found.pause is not None:
        console.print()
        symbols = symbols_for(console.encoding)
        console.print(Text(f"{symbols.ask} a person is needed", style=f"bold {UNSURE}"))
        console.print(Padding(fact_lines({"because": found.pause.because}, style="not dim"), (0, 0, 0, 2)))
    _print_public_texts(console, found)
    _print_left_open(console, found)
    if commands:
        console.print()
        width = max(map(len, commands)) + 2
        for what, command in commands.items():
            line = Text(f"  {what:<{width}}", style=QUIET).append(command, style="default not dim")
            console.print(line, soft_wrap=True)
    if coming:
        console.print()
        console.print(Text("Next, without anybody's doing:", style=QUIET))
        coming_up: dict[str, str] = {}
        for each in coming:
            when = _when(each, now)
            coming_up[when] = "; ".join(filter(None, (coming_up.get(when), each.what)))
        console.print(Padding(fact_lines(coming_up), (0, 0, 0, 2)))


def print_heading(console: Console, found: Incident) -> None:
    """Print the line that says which incident it is, how severe, and where it is in its life."""
    if found.dry_run:
        console.print(Text(REHEARSAL, style="bold yellow"))
    title = Text(f"{found.id}  ", style="bold")
    title.append(f"{found.severity.severity if found.severity else 'P?'}  {found.state}", style="bold cyan")
    if found.pending_gate is not None:
        title.append("  waits for an answer", style=f"bold {UNSURE}")
    elif found.pause is not None:
        title.append("  waits for a person", style=f"bold {UNSURE}")
    console.print(title, soft_wrap=True)


def print_untold(console: Console, found: Incident) -> None:
    """Print of what nobody could be told, while a person is needed."""
    for each in () if found.resolved else untold(found):
        console.print(Text(plain(each.sentence), style="bold red"), soft_wrap=True)


def print_whole(console: Console, name: str, copied: str) -> None:
    """Print an address or a path on a line that is not broken."""
    console.print(
        Text(f"{name:<{NAMES}}", style=QUIET).append(plain(copied), style="not dim"), soft_wrap=True
    )


def people(found: Incident) -> dict[str, str]:
    """Who works on it."""
    return {
        "lead": lead_of(found) or "",
        "comms": comms_lead_of(found) or "",
        "support": support_of(found) or "",
        "acked": ", ".join(acknowledged_by(found)),
    }


def _facts(found: Incident, now: datetime, response: ResponseClock | None, told: str) -> dict[str, str]:
    decision, outcome = found.decision, found.outcome
    lasted = f"lasted {span(found.duration)}" if found.duration else f"{span(now - found.opened_at)} ago"
    opened = f"{clock_after(found.opened_at, now)}, {lasted}"
    return {
        "service": found.service,
        "alert": "" if decision else f"{found.alert.name}: {one_line(found.alert.summary)}",
        "verdict": verdict_words(decision) if decision else "",
        "outcome": OUTCOMES[outcome] if outcome else "",
        "told": told,
        "opened": opened,
        "response": response_words(response, now) if response is not None else "",
        **people(found),
    }


def _print_question(console: Console, found: Incident, awaited: Awaited | None) -> None:
    gate = found.pending_gate
    if gate is None:
        return
    symbols, plan = symbols_for(console.encoding), found.previews.get(gate.action_id)
    in_one_line = essence(plan) if plan is not None else ""
    question = first_line(gate.question.removesuffix(in_one_line))
    console.print(Text(f"{symbols.ask} {plain(in_one_line or question)}", style=f"bold {UNSURE}"))
    if plan is None:
        return
    asks = f"{question} {plan.action.because}" if in_one_line else plan.action.because
    console.print(Padding(Text(plain(asks)), (0, 0, 0, 2)))
    decisive = decisive_lines(plan.diff)
    console.print(Padding(diff_lines(decisive.text), (0, 0, 0, 4)))
    facts = {"affects": "; ".join(plan.affects), "risk": plan.action.spec.risk.value}
    if awaited is not None:
        facts |= {"who": "; ".join(awaited.who_may) or "anybody", "approved": awaited.progress}
    if not decisive.complete:
        facts["more"] = "lines are left out: --full shows the whole change"
    console.print(Padding(fact_lines(facts, style="not dim"), (0, 0, 0, 2)))


def _print_public_texts(console: Console, found: Incident) -> None:
    """Print the text for the public that waits for a yes, in whole: that is what the yes is bound to."""
    for asked in proposals(found):
        if asked.waits:
            ask = symbols_for(console.encoding).ask
            what = f"{ask} publish this on the status page ({asked.text.state})?"
            console.print()
            console.print(Text(what, style=f"bold {UNSURE}"))
            console.print(Padding(Text(plain(asked.text.title), style="bold"), (0, 0, 0, 2)))
            for line in asked.text.body.splitlines():
                console.print(Padding(Text(plain(line)), (0, 0, 0, 2)))


def _print_left_open(console: Console, found: Incident) -> None:
    """Print that a public entry stays open since the text about its end says what no public text may."""
    for refused in left_open(found)[-1:]:
        console.print()
        console.print(Text(f"{symbols_for(console.encoding).ask} {STAYS_OPEN}", style=f"bold {UNSURE}"))
        console.print(Padding(Text(plain(sentence(refused))), (0, 0, 0, 2)))


def _when(each: NextUp, now: datetime) -> str:
    if each.at is None:
        return "next"
    due = " (due)" if each.at <= now else ""
    return f"{clock_after(each.at, now)}{due}"
