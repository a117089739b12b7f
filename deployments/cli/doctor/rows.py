"""What `runbook doctor` says of one system: a row of its table, with the next step where one is needed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class State(StrEnum):
    """How a check ended. `unproven`: it answers, and nobody can tell the rest without a message."""

    OK = "ok"
    UNPROVEN = "unproven"
    MISSING = "not set"
    WRONG = "wrong"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class CheckRow:
    """One row. `next_step` is empty where there is nothing to do."""

    system: str
    state: State
    detail: str
    next_step: str = ""


_STYLES = {
    State.OK: "green",
    State.UNPROVEN: "yellow",
    State.MISSING: "yellow",
    State.WRONG: "bold red",
    State.UNREACHABLE: "bold red",
}


def print_rows(out: "Console", rows: Iterable[CheckRow]) -> None:
    """The table of all systems, and below it what to do, in the same order."""
    from rich.table import Table
    from rich.text import Text

    from deployments.progress.symbols import plain

    found = list(rows)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("system", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("what was seen", overflow="fold")
    for row in found:
        table.add_row(row.system, Text(row.state, style=_STYLES[row.state]), Text(plain(row.detail)))
    out.print()
    out.print(Text("Systems", style="bold"))
    out.print(table)
    steps = [(row.system, row.next_step) for row in found if row.next_step]
    if steps:
        out.print()
        out.print(Text("Next steps", style="bold"))
    for system, step in steps:
        out.print(Text(f"  {system}: {plain(step)}"), soft_wrap=True)
