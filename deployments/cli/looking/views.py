"""One incident in the terminal, in short or in full, with the commands that act on it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.people.confirming import approve_command
from deployments.progress.pasting import pasted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from runbook.approvals.awaited import Awaited
    from runbook.channels.next_up import NextUp
    from runbook.clocks.response import ResponseClock
    from runbook.incidents.incident import Incident


def print_short(
    out: "Console",
    found: "Incident",
    *,
    awaited: "Awaited | None",
    coming: "Sequence[NextUp]",
    now: datetime,
    response: "ResponseClock | None" = None,
    told: str = "",
    config: Path | None = None,
) -> None:
    """What it is, what is asked, and what comes next; `config` is the file that was given."""
    from deployments.progress.glance import print_glance

    commands = commands_of(found, config) | {"see all": pasted("incident", found.id, "--full", config=config)}
    print_glance(
        out,
        found,
        awaited=awaited,
        coming=coming,
        commands=commands,
        now=now,
        response=response,
        told=told,
    )


def print_full(
    out: "Console",
    found: "Incident",
    *,
    now: datetime,
    response: "ResponseClock | None" = None,
    told: str = "",
    config: Path | None = None,
) -> None:
    """Header, timeline and, last, what someone has to answer; each change is shown once."""
    from rich.text import Text

    from deployments.progress import Progress, print_question
    from deployments.progress.glance import NAMES, print_heading, print_untold, print_whole
    from deployments.progress.parts import fact_lines
    from runbook.incidents.events import ActionPreviewed
    from runbook.incidents.summary import flow_run_url
    from runbook.incidents.timeline import in_order, without_repeats

    print_heading(out, found)
    out.print(fact_lines(_facts(found, now, response, told), width=NAMES))
    print_untold(out, found)
    if url := flow_run_url(found):
        print_whole(out, "run:", url)
    out.print()
    progress = Progress(out, opened_at=found.opened_at, clock=True)
    gate = found.pending_gate
    shown = {gate.plan_digest} if gate else set()
    for recorded in without_repeats(in_order(found.journal)):
        plan = recorded.event.plan.digest if isinstance(recorded.event, ActionPreviewed) else None
        progress.show(recorded, details=plan is None or plan not in shown)
        shown |= {plan} if plan else set()
    if gate:
        out.print()
        print_question(out, gate, found.previews.get(gate.action_id))
    if commands := commands_of(found, config):
        out.print()
        width = max(map(len, commands)) + 2
        for what, command in commands.items():
            out.print(Text(f"  {what:<{width}}{command}"), soft_wrap=True)


def commands_of(found: "Incident", config: Path | None) -> dict[str, str]:
    """What a person can do about it now: the answers with their numbers, or how to end it."""
    return _answers(found, config) | _publishing(found, config)


def _publishing(found: "Incident", config: Path | None) -> dict[str, str]:
    """What can be said to the text for the public that waits."""
    from runbook.incidents.report import DIGEST_LETTERS
    from runbook.public.proposals import proposals

    waiting = [it.text.digest[:DIGEST_LETTERS] for it in proposals(found) if it.waits]
    if not waiting:
        return {}
    named = (found.id, "--proposal", waiting[-1])
    return {
        "publish it": pasted("publish", *named, config=config),
        "or not": pasted("withhold", *named, "--reason", "TEXT", config=config),
    }


def _answers(found: "Incident", config: Path | None) -> dict[str, str]:
    from runbook.channels.wording import NOT_YET

    gate = found.pending_gate
    if gate is not None:
        plan = found.previews.get(gate.action_id)
        editable = [parameter.name for parameter in plan.action.spec.editable] if plan else []
        edited = (f"{name}=VALUE" for name in editable)
        return {
            "1 approve": approve_command(found.id, gate.plan_digest, config),
            "2 reject": pasted("reject", found.id, "--reason", "TEXT", config=config),
            **({"3 edit": pasted("edit", found.id, *edited, config=config)} if editable else {}),
            f"{4 if editable else 3} {NOT_YET}": pasted("snooze", found.id, config=config),
        }
    if found.pause is not None:
        end = ("resolve", found.id, "--outcome", "recovered", "--reason", "TEXT")
        return {
            "take it": pasted("take", found.id, config=config),
            "end it": pasted(*end, config=config),
        }
    return {}


def _facts(found: "Incident", now: datetime, response: "ResponseClock | None", told: str) -> dict[str, str]:
    from deployments.progress.glance import people
    from runbook.channels.wording import OUTCOMES, verdict_words
    from runbook.clocks.response import response_words

    decision, outcome = found.decision, found.outcome
    return {
        "service": found.service,
        "alert": f"{found.alert.name}: {found.alert.summary}",
        "verdict": verdict_words(decision) if decision else "",
        "outcome": OUTCOMES[outcome] if outcome else "",
        "told": told,
        "response": response_words(response, now) if response is not None else "",
        "waits": f"for a person: {found.pause.because}" if found.pause else "",
        **people(found),
    }
