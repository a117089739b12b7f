"""An approval without a plan: the person at the terminal is shown the change first, and asked about it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.output import ask, console
from deployments.progress.pasting import pasted

if TYPE_CHECKING:
    from deployments.services.refusals import ActRefused, Asked

YES = ("1", "y", "yes", "approve")
OTHERWISE = {
    "2": ("reject", "--reason", "WHY"),
    "reject": ("reject", "--reason", "WHY"),
    "3": ("snooze",),
    "4": ("snooze",),
    "not yet": ("snooze",),
}
"""Answers that are no approval, and the command that gives them; 3 is an edit where one is possible."""


def confirmed(asked: "Asked", refused: "ActRefused", *, config: Path | None, json: bool) -> str:
    """Show the change and ask about it; returns the digest of the plan that was shown and approved.

    `config` is the settings file that was given. With `json`, nobody is asked, and only the error is told.

    Raises:
        CommandError: the person does not approve it, or nobody is at the terminal.
    """
    from deployments.progress import print_question
    from runbook.channels.wording import REHEARSAL, numbered_choices
    from runbook.incidents.report import short_digest

    at_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not json
    if not json:
        out = console(None if at_terminal else sys.stderr)
        out.print(f"{asked.incident}{f' ({REHEARSAL})' if asked.plan.dry_run else ''}")
        print_question(out, asked.gate, asked.plan, in_one_line=asked.in_one_line)
    editable = [parameter.name for parameter in asked.plan.action.spec.editable]
    edited = ("edit", *(f"{name}=VALUE" for name in editable))
    paste = approve_command(asked.incident, asked.gate.plan_digest, config)
    if not at_terminal:
        problem = f"{refused.problem}; nothing was approved"
        raise CommandError(problem, f"for the change as it is now: `{paste}`", code=ExitCode.USAGE)
    try:
        choices = numbered_choices(bool(editable))
        said = ask(f"Approve exactly this change (plan {short_digest(asked.plan)})? {choices}: ")
    except EOFError:
        said = ""
    said = said.strip().lower()
    if said in YES:
        return asked.gate.plan_digest
    others = OTHERWISE | ({"3": edited, "edit": edited} if editable else {})
    if other := others.get(said):
        command = pasted(other[0], asked.incident, *other[1:], config=config)
        raise CommandError("nothing was approved", f"for that: `{command}`", code=ExitCode.NOTHING)
    raise CommandError("nothing was approved", f"later: `{paste}`", code=ExitCode.NOTHING)


def approve_command(incident: str, digest: str, config: Path | None) -> str:
    """What approves this plan of this incident and no other, to be pasted into a shell."""
    from runbook.incidents.report import DIGEST_LETTERS

    return pasted("approve", incident, "--plan", digest[:DIGEST_LETTERS], config=config)
