"""What the form of a line says, before anyone judges it."""

from typing import NamedTuple

from runbook.checks.log_lines.levels import Level


class ParsedLine(NamedTuple):
    """The parts of a line whose form is known.

    `level` is `None` where the form says none; `default_level` holds where its messages say none either.
    `texts` are the messages, each of which may be a line of its own with a form. `statuses` are the HTTP
    statuses that named fields hold. `names_error` says that a field reports an error. `context` is what else
    the line is about. `inbound` marks our own answer to a client.
    """

    level: Level | None
    texts: tuple[str, ...]
    statuses: tuple[str, ...] = ()
    names_error: bool = False
    context: str = ""
    inbound: bool = False
    default_level: Level | None = None
