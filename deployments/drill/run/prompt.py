"""Asking the person at the terminal, while the journal goes on being followed."""

import asyncio
import contextlib
import os
import termios
import threading
from collections.abc import Callable

from runbook.approvals.gates import Choice

WORDS = {
    "a": Choice.APPROVE,
    "approve": Choice.APPROVE,
    "y": Choice.APPROVE,
    "yes": Choice.APPROVE,
    "r": Choice.REJECT,
    "reject": Choice.REJECT,
    "n": Choice.REJECT,
    "no": Choice.REJECT,
    "l": Choice.SNOOZE,
    "later": Choice.SNOOZE,
    "not yet": Choice.SNOOZE,
}
"""What may be typed. An empty line is no answer: the question stays."""

Say = Callable[[str], None]
"""Shows a prompt and leaves the cursor behind it."""

QUESTION = "Apply exactly this change? [a]pprove, [r]eject, [l]ater: "
REASON = "Why? (kept in the timeline): "


class Lines:
    """Lines typed at the terminal, read in a thread: reading cannot be cancelled, waiting for a line can."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        threading.Thread(target=self._read, name="terminal", daemon=True).start()

    async def next(self) -> str:
        """The next line, without its end; empty for ever after the end of the input.

        Raises:
            EOFError: the input has ended.
        """
        line = await self._typed.get()
        if not line:
            self._typed.put_nowait("")
            raise EOFError
        return line.strip()

    def forget(self) -> None:
        """Drop what was typed before a question was shown: nobody may approve what they have not seen.

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


async def ask(lines: Lines, say: Say) -> tuple[Choice, str]:
    """Ask until there is an answer; a rejection comes with a reason.

    Raises:
        EOFError: the input has ended before an answer.
    """
    lines.forget()
    while True:
        say(QUESTION)
        choice = WORDS.get((await lines.next()).lower())
        if choice is Choice.REJECT:
            return choice, await _reason(lines, say)
        if choice is not None:
            return choice, ""


async def _reason(lines: Lines, say: Say) -> str:
    while True:
        say(REASON)
        if reason := await lines.next():
            return reason
