"""Ask the person at the terminal while the journal is followed."""

import asyncio
import contextlib
import os
import termios
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runbook.approvals.gates import Choice
from runbook.channels.wording import numbered_choices

WORDS = {
    "1": Choice.APPROVE,
    "a": Choice.APPROVE,
    "approve": Choice.APPROVE,
    "y": Choice.APPROVE,
    "yes": Choice.APPROVE,
    "2": Choice.REJECT,
    "r": Choice.REJECT,
    "reject": Choice.REJECT,
    "n": Choice.REJECT,
    "no": Choice.REJECT,
    "3": Choice.EDIT,
    "e": Choice.EDIT,
    "edit": Choice.EDIT,
    "4": Choice.SNOOZE,
    "l": Choice.SNOOZE,
    "later": Choice.SNOOZE,
    "not yet": Choice.SNOOZE,
}
"""What may be typed; 3 is "not yet" where nothing can be edited. After an empty line the question stays."""

Say = Callable[[str], None]
"""Shows a prompt and leaves the cursor behind it."""

REASON = "Why? (kept in the timeline): "


@dataclass(frozen=True)
class Typed:
    """What was answered at the terminal."""

    choice: Choice
    reason: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


class Lines:
    """Lines typed at the terminal, read in a thread: reading cannot be cancelled, waiting for a line can."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        threading.Thread(target=self._read, name="terminal", daemon=True).start()

    async def next(self) -> str:
        """The next line, without its end.

        Raises:
            EOFError: the input has ended.
        """
        line = await self._typed.get()
        if not line:
            self._typed.put_nowait("")
            raise EOFError
        return line.strip()

    def forget(self) -> None:
        """Drop what was typed before a question was shown, since nobody may approve what they have not seen.

        Only at a terminal; answers from a pipe were written beforehand on purpose.
        """
        if not os.isatty(self._descriptor):
            return
        termios.tcflush(self._descriptor, termios.TCIFLUSH)
        while not self._typed.empty():
            self._typed.get_nowait()

    def _read(self) -> None:
        # By descriptor: a daemon thread that holds the lock of sys.stdin stops the interpreter from ending.
        rest = b""
        while chunk := os.read(self._descriptor, 4096):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._hand_over(line.decode(errors="replace") + "\n")
        if rest:
            self._hand_over(rest.decode(errors="replace"))
        self._hand_over("")

    def _hand_over(self, line: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits for this line
            self._loop.call_soon_threadsafe(self._typed.put_nowait, line)


def question(editable: Sequence[str] = ()) -> str:
    """The prompt: the choices with their numbers."""
    return f"Apply exactly this change? {numbered_choices(bool(editable))}: "


async def ask(lines: Lines, say: Say, editable: Sequence[str] = ()) -> Typed:
    """Ask until there is an answer; a rejection comes with a reason, an edit with a value.

    `editable` are the names of the parameters that may be changed: if it is empty, nothing can be edited.

    Raises:
        EOFError: the input has ended before an answer.
    """
    lines.forget()
    while True:
        say(question(editable))
        typed = (await lines.next()).lower()
        choice = Choice.SNOOZE if typed == "3" and not editable else WORDS.get(typed)
        if choice is Choice.REJECT:
            return Typed(choice, reason=await _said(lines, say, REASON))
        if choice is Choice.EDIT:
            if not editable:
                continue
            name = editable[0]
            return Typed(choice, parameters={name: await _said(lines, say, f"New {name}: ")})
        if choice is not None:
            return Typed(choice)


async def _said(lines: Lines, say: Say, prompt: str) -> str:
    while True:
        say(prompt)
        if said := await lines.next():
            return said
