"""`runbook publish` and `withhold`: whether a text for the public status page goes out."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.output import warn
from deployments.cli.people.acts import do

ProposalOption = Annotated[
    str,
    Parameter(
        help="The text that you have read: its digest or the beginning, as the message shows it.",
        show_default=False,
    ),
]


_TITLE = (
    "an entry that is open takes the new title on Statuspage alone; incident.io takes none in an update, so "
    "change it on the page, too"
)


async def publish(
    incident: Reference,
    /,
    *,
    proposal: ProposalOption = "",
    text: str | None = None,
    title: str | None = None,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Let a text for the public status page be published, in its words or in yours.

    `runbook incident` shows the text that waits, with this command. Your words pass the same checks as the
    runbook's: where one may not be published, you read which and why, and nothing is written.

    Parameters
    ----------
    text
        A file with the words to publish instead, - for standard input.
    title
        The title to publish instead. An entry that is open takes it on Statuspage; incident.io keeps its own.
    """
    if title is not None and not title.strip():
        step = "leave it out for the title as it is"
        raise CommandError("--title is empty", step, code=ExitCode.USAGE)
    words, heading = _read(text) if text is not None else "", title or ""
    code = await do(
        incident,
        "publish",
        "publication",
        options,
        {"proposal": proposal, "text": words, "title": heading},
        proposal=proposal,
        text=words,
        title=heading,
    )
    if heading and code == ExitCode.OK:
        warn(_TITLE)
    return code


async def withhold(
    incident: Reference,
    /,
    *,
    proposal: ProposalOption = "",
    reason: str,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Keep a text from the public status page; you are asked again about the next one.

    Parameters
    ----------
    reason
        Why the public is not told.
    """
    return await do(
        incident,
        "withhold",
        "withholding",
        options,
        {"proposal": proposal, "reason": reason},
        proposal=proposal,
        text=reason,
    )


def _read(source: str) -> str:
    """The words of a file.

    Raises:
        CommandError: it cannot be read, or has none.
    """
    try:
        words = sys.stdin.read() if source == "-" else Path(source).read_text()
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{source} cannot be read: {error}"
        raise CommandError(problem, "name a text file", code=ExitCode.USAGE) from None
    if not words.strip():
        step = "leave --text out for the text as it is"
        raise CommandError(f"{source} has no words", step, code=ExitCode.USAGE)
    return words.strip()
