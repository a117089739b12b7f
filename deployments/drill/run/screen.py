"""What a drill shows while it runs: the incident's progress, what it waits for, the prompt."""

import getpass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as WaitingLine
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from deployments.drill.run.prompt import Lines, ask
from deployments.progress import Progress, print_question
from deployments.progress.pasting import pasted
from deployments.progress.symbols import QUIET, UNSURE, plain
from runbook.actions.catalogue import ChangePlan
from runbook.actions.essence import essence
from runbook.approvals.gates import Answer, PendingGate
from runbook.incidents.events import ActionPreviewed, Recorded


class Screen:
    """The drill's side of the terminal. Use it as a context manager: the waiting line ends with it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.asking = False
        """Whether a person is being asked now."""
        self._progress: Progress | None = None
        self._waiting: WaitingLine | None = None
        self._lines: Lines | None = None
        self._fresh_preview: str | None = None
        self._prompted = ""
        self._settings: Path | None = None

    def answered_with(self, settings: Path) -> None:
        """The settings file with which another shell answers what is asked here."""
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.wait_for("")

    def say(self, text: str, style: str = QUIET) -> None:
        """Print a line beside the progress."""
        self.console.print(Text(text, style=style))

    def wait_for(self, what: str) -> None:
        """Show what the drill waits for; only on a terminal, and gone when the wait is over."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        if what and self.console.is_terminal and not self.asking:
            spinner, words, clock = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
            self._waiting = WaitingLine(spinner, words, clock, console=self.console, transient=True)
            self._waiting.add_task(what, total=None)
            self._waiting.start()

    def begin(self, opened_at: datetime) -> None:
        """From here on events are shown with the time since then."""
        self._progress = Progress(self.console, opened_at=opened_at)

    def show(self, recorded: Recorded) -> None:
        """Show an event."""
        if self._progress is None:
            self.begin(recorded.at)
        if self._progress is not None and self._progress.shows(recorded):
            if self.asking:
                self.console.print()
            self._progress.show(recorded)
            if self.asking:
                self._prompt(self._prompted)
        if isinstance(recorded.event, ActionPreviewed):
            self._fresh_preview = recorded.event.plan.digest

    async def ask(self, incident: str, gate: PendingGate, plan: ChangePlan | None) -> Answer:
        """Ask the person at the terminal; the exact diff is on the screen right above the question.

        The line before the choices says which incident it is and what the change comes to.

        Raises:
            EOFError: the terminal was closed.
        """
        self.wait_for("")
        self._lines = self._lines or Lines()
        if self._fresh_preview != gate.plan_digest:
            print_question(self.console, gate, plan)
        self._fresh_preview = None
        if self._settings is not None:
            self.say("Answer here, or from another shell (also: incident, reject, edit, snooze):")
            words = "approve", incident, "--plan", gate.plan_digest[:12]
            command = pasted(*words, config=self._settings, anywhere=True)
            self.console.print(Text(f"  {command}"), soft_wrap=True)
        in_one_line = (essence(plan) if plan else "") or gate.question
        self.console.print(Text(plain(f"{incident}: {in_one_line}"), style=f"bold {UNSURE}"), soft_wrap=True)
        editable = [parameter.name for parameter in plan.action.spec.editable] if plan else []
        self.asking = True
        try:
            typed = await ask(self._lines, self._prompt, editable)
        except EOFError:
            self.console.print()
            raise
        finally:
            self.asking = False
        return Answer(
            choice=typed.choice,
            approver=getpass.getuser(),
            reason=typed.reason,
            channel="cli",
            parameters=typed.parameters,
        )

    def answered_elsewhere(self) -> None:
        """Say that nothing need be typed any more."""
        self.asking = False
        self.console.print()
        self.say("Not needed: someone else has answered.")

    def _prompt(self, text: str) -> None:
        self._prompted = text
        self.console.print(Text(text, style="bold"), end="")
