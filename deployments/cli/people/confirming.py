"""An approval without a plan: the person at the terminal is shown the change first, and asked about it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.output import ask, console
from deployments.progress.pasting import pasted

if TYPE_CHECKING:
    from deployments.services.refusals import ActRefused, Asked

YES = ("y", "yes")


def confirmed(asked: "Asked", refused: "ActRefused", *, config: Path | None, json: bool) -> str:
    """Show the change and ask about it; returns the digest of the plan that was shown and approved.

    `config` is the settings file that was given. With `json`, nobody is asked, and only the error is told.

    Raises:
        CommandError: the person does not approve it, or nobody is at the terminal.
    """
    from deployments.progress import print_question
    from runbook.channels.wording import REHEARSAL
    from runbook.incidents.report import short_digest

    at_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not json
    if not json:
        out = console(None if at_terminal else sys.stderr)
        out.print(f"{asked.incident}{f' ({REHEARSAL})' if asked.plan.dry_run else ''}")
        print_question(out, asked.gate, asked.plan)
    paste = approve_command(asked.incident, asked.gate.plan_digest, config)
    if not at_terminal:
        problem = f"{refused.problem}; nothing was approved"
        raise CommandError(problem, f"for the change as it is now: `{paste}`", code=ExitCode.USAGE)
    try:
        said = ask(f"Approve exactly this change (plan {short_digest(asked.plan)})? [y/N] ")
    except EOFError:
        said = ""
    if said.strip().lower() not in YES:
        raise CommandError("nothing was approved", f"later: `{paste}`", code=ExitCode.NOTHING)
    return asked.gate.plan_digest


def approve_command(incident: str, digest: str, config: Path | None) -> str:
    """What approves this plan of this incident and no other, to be pasted into a shell."""
    from runbook.incidents.report import DIGEST_LETTERS

    return pasted("approve", incident, "--plan", digest[:DIGEST_LETTERS], config=config)
