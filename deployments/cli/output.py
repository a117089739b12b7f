"""Results go to standard output, progress and errors to standard error."""

import json
import logging
import sys
from typing import IO, Any

from rich.console import Console


def console(stream: IO[str] | None = None) -> Console:
    """A console on standard output, or another stream, that prints text as it is: no markup, no highlighting.

    Rich leaves colours out where NO_COLOR is set, on a dumb terminal and in a pipe.
    """
    return Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)


CHATTY = ("EventsWorker", "stamina", "urllib3.connectionpool")
"""Loggers of libraries that tell of each retry, and of Prefect's own events that are still to be sent."""


def quiet_libraries() -> None:
    """Keep standard error for what the person must know: a retry that fails is told in the answer itself."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def warn(text: str) -> None:
    """Tell the person something beside the result."""
    print(f"runbook: {text}", file=sys.stderr)


def print_error(text: str) -> None:
    """Print an error as its one line."""
    print(f"runbook: error: {text}", file=sys.stderr)
