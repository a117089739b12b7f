"""An incident's journal in the terminal, written for a person at three in the morning.

Each event becomes one line, a few with the findings, the way through the tree or the exact diff under it.
"""

from dataclasses import replace
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deployments.progress.parts import (
    change_lines,
    consequences,
    diff_lines,
    facts_of,
    findings_table,
    without_long_addresses,
)
from deployments.progress.row import Row
from deployments.progress.rows import row_of
from deployments.progress.symbols import LOUD, QUIET, UNSURE, plain, symbols_for
from runbook.actions.catalogue import ChangePlan
from runbook.actions.essence import essence
from runbook.approvals.gates import PendingGate
from runbook.channels.wording import VERDICT_TITLES
from runbook.checks.findings import Findings
from runbook.decision.tree_text import WALKED, decision_text
from runbook.decision.verdict import Decision
from runbook.incidents.events import Recorded
from runbook.incidents.timeline import happened_at, written_later

DETAIL_INDENT = 10
"""Columns left of what stands under an event, so that a diff keeps 70 of 80."""
CLOCK_WIDTH = 9
LABEL_WIDTH = 10


class Progress:
    """Shows recorded events on a console, each with the time since the incident was opened.

    With `clock`, the time of day (UTC) stands before it, as a timeline wants it.
    """

    def __init__(self, console: Console, *, opened_at: datetime, clock: bool = False) -> None:
        self._console = console
        self._opened_at = opened_at
        self._clock = clock
        self._symbols = symbols_for(console.encoding)

    def shows(self, recorded: Recorded) -> bool:
        """Whether an event prints anything."""
        return row_of(recorded.event, self._symbols) is not None

    def show(self, recorded: Recorded, *, details: bool = True) -> None:
        """Print one event; events that only repeat what the next one says print nothing.

        An address that is longer than its column stands under the event, where nothing breaks it.
        """
        row = row_of(recorded.event, self._symbols)
        if row is None:
            return
        if later := written_later(recorded):
            row.text.append(later, style=QUIET)
        text, addresses = without_long_addresses(row.text, self._console.width - self._indent - LABEL_WIDTH)
        self._console.print(self._line(replace(row, text=text), happened_at(recorded)))
        for detail in row.details if details else ():
            self._console.print(Padding(detail, (0, 0, 0, self._indent)))
        for copied in (*addresses, *row.copied):
            self.copy(copied, style=row.style)

    def show_in_one_line(self, recorded: Recorded) -> None:
        """Print one event without what stands under it, in one line that only the terminal may wrap."""
        row = row_of(recorded.event, self._symbols)
        if row is None:
            return
        at = happened_at(recorded)
        line = Text(f"{at:%H:%M:%S} {elapsed((at - self._opened_at).total_seconds()):>7} ", style=QUIET)
        line.append(f"{row.symbol} {row.label:<9} ", style=f"not dim {row.style}")
        text = " ".join((row.text.plain + written_later(recorded)).split())
        line.append(" ".join((text, *row.copied)), style="not dim")
        self._console.print(line, soft_wrap=True)

    def mark(self, text: str, recorded: Recorded) -> None:
        """Print what has changed with an event, so that it stands out."""
        line = Text(f"{happened_at(recorded):%H:%M:%S} ", style=QUIET)
        self._console.print(
            line.append(f"{self._symbols.rule} {text}", style=f"not dim {LOUD}"), soft_wrap=True
        )

    def copy(self, copied: str, *, style: str = "") -> None:
        """Print what is to be copied in a line that nothing breaks."""
        left = max(min(self._indent, self._console.width - len(copied)), 0)
        self._console.print(Text(" " * left + copied, style=style), soft_wrap=True)

    @property
    def arrow(self) -> str:
        """The sign between what was and what is."""
        return self._symbols.arrow

    @property
    def _indent(self) -> int:
        return DETAIL_INDENT + (CLOCK_WIDTH if self._clock else 0)

    def _line(self, row: Row, at: datetime) -> Table:
        line = Table.grid(padding=(0, 1))
        cells: list[Text] = []
        if self._clock:
            line.add_column(width=8, no_wrap=True)
            cells.append(Text(f"{at:%H:%M:%S}", style=QUIET))
        line.add_column(width=7, no_wrap=True, justify="right")
        line.add_column(width=1, no_wrap=True)
        line.add_column(width=9, no_wrap=True)
        line.add_column(overflow="fold")
        cells += [
            Text(elapsed((at - self._opened_at).total_seconds()), style=QUIET),
            Text(row.symbol, style=row.style),
            Text(row.label, style=row.style),
            row.text,
        ]
        line.add_row(*cells)
        return line


def print_question(
    console: Console, gate: PendingGate, plan: ChangePlan | None, *, in_one_line: str = ""
) -> None:
    """Print what a gate asks: the change in one line, the question, the exact diff, and what follows.

    `in_one_line` is for a plan that comes without the live object, which says how many pods there are.
    """
    symbols = symbols_for(console.encoding)
    in_one_line = in_one_line or (essence(plan) if plan is not None else "")
    question = gate.question.removesuffix(in_one_line).strip()
    line = Table.grid(padding=(0, 1))
    line.add_row(
        *(Text(part, style=f"bold {UNSURE}") for part in (symbols.ask, plain(in_one_line or question)))
    )
    console.print(line)
    if in_one_line:
        console.print(Padding(Text(plain(question)), (0, 0, 0, 2)))
    if plan is not None:
        console.print(Padding(diff_lines(plan.diff), (0, 0, 0, 2)))
        console.print(Padding(change_lines(plan), (0, 0, 0, 2)))


def print_findings(console: Console, findings: Findings) -> None:
    """Print what a triage found."""
    console.print(findings_table(findings, symbols_for(console.encoding)))


def print_decision(console: Console, decision: Decision) -> None:
    """Print a decision: the whole tree with the way that was taken, the facts on it, and what follows."""
    symbols = symbols_for(console.encoding)
    root, *answers = decision_text(decision).splitlines()
    console.print(Text(root, style="bold"))
    for line in answers:
        console.print(Text(line, style="bold" if WALKED in line else QUIET))
    console.print()
    for branch in decision.path:
        console.print(facts_of(branch, symbols))
    console.print(Text(f"{symbols.decision} {VERDICT_TITLES[decision.verdict]}", style=LOUD))
    for part in consequences(decision):
        console.print(Padding(part, (0, 0, 0, 2)))


def elapsed(seconds: float) -> str:
    """Seconds as people say them: `+0.4s`, `+3m05s`, `+1h02m`.

    A minute or more before the alert is `-3m05s`, such as a note of what was seen then; less is a clock that
    ran backwards, and counts as zero.
    """
    if round(seconds) <= -60:
        return f"-{elapsed(-seconds).removeprefix('+')}"
    seconds = max(seconds, 0.0)
    if seconds < 60:
        return f"+{seconds:.1f}s" if seconds < 59.95 else "+1m00s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"+{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"+{hours}h{minutes:02}m"


__all__ = ["glance", "parts", "pasting", "rows", "symbols"]
