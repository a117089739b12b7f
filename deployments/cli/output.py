"""Results go to standard output, progress and errors to standard error, and all of it through here.

Whatever a command shows may hold text from outside. So a console shows what a terminal would obey as a sign,
JSON escapes it, errors are masked too since they quote what was typed, and no command prints by itself. The
rules are imported where they are used: `--help` needs none of them.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_LONGEST_TRACE = 20_000


_BLANKS_AT_THE_END = re.compile(r" +(?=\n)")


class SafeConsole(Console):
    """A console whose texts cannot steer the terminal; only rich itself can.

    The blanks are left out with which rich fills up the lines of a table: they would be copied along.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed, each text made safe."""
        from runbook.outside_text.terminal import on_terminal

        blanks: list[Segment] = []  # perhaps the end of a line
        for segment in super().render(renderable, options):
            if segment.control:
                yield from (*blanks, segment)
                blanks.clear()
                continue
            text = _BLANKS_AT_THE_END.sub("", on_terminal(segment.text))
            shown = text.rstrip(" ")
            if shown:
                yield from () if text.startswith("\n") else blanks
                blanks.clear()
                yield Segment(shown, segment.style)
            if shown != text:
                blanks.append(Segment(text[len(shown) :], segment.style))
        yield from blanks


def console(stream: IO[str] | None = None) -> Console:
    """A console on standard output, or another stream, that prints text as it is: no markup, no highlighting.

    Rich leaves colours out where NO_COLOR is set, on a dumb terminal and in a pipe.
    """
    return SafeConsole(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)


CHATTY = ("EventsWorker", "stamina", "urllib3.connectionpool")
"""Loggers of libraries that tell of each retry, and of Prefect's own events that are still to be sent."""


def quiet_libraries() -> None:
    """Keep standard error for what the person must know: a retry that fails is told in the answer itself."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)


def write(text: str) -> None:
    """Print a result that is text for people, of one line or more."""
    from runbook.outside_text.terminal import on_terminal

    print(on_terminal(text))


def print_json(value: Any) -> None:
    """Print one JSON document, equal in value but for what is masked."""
    print(_document(value, indent=2))


def print_json_line(value: Any) -> None:
    """Print one JSON document in a line, at once: a program reads it while more are to come."""
    print(_document(value), flush=True)


def _document(value: Any, *, indent: int | None = None) -> str:
    from runbook.outside_text.machine import json_document
    from runbook.redaction import redact_secret_values

    return json_document(redact_secret_values(value), indent=indent)


def ask(question: str) -> str:
    """Ask the person at the terminal.

    Raises:
        EOFError: there is nobody any more.
    """
    from runbook.outside_text.terminal import on_terminal

    return input(on_terminal(question))


def warn(text: str) -> None:
    """Tell the person something beside the result."""
    from runbook.outside_text.terminal import line_on_terminal

    print(f"runbook: {line_on_terminal(text)}", file=sys.stderr)


def print_error(text: str) -> None:
    """Print an error as its one line."""
    from runbook.outside_text.terminal import line_on_terminal

    print(f"runbook: error: {line_on_terminal(text)}", file=sys.stderr)


def print_defect(error: BaseException) -> None:
    """Print where a fault of ours comes from, masked."""
    from runbook.outside_text import let_in

    trace = "".join(traceback.format_exception(error))
    print(let_in(trace, _LONGEST_TRACE).rstrip(), file=sys.stderr)
