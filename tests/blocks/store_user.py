"""Another process that uses an incident store, for as long as a test wants it to.

    python -m tests.blocks.store_user URL

A line of input is a note to write into the incident's journal, an empty one only reads. A line of output has
the notes that are in it then, or why that was refused.
"""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import UnknownIncident
from blocks.transport.errors import OutsideError
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import AT, INCIDENT

Said = dict[str, list[str] | str]


class User:
    """The test's side of such a process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def write(self, note: str = "") -> Said:
        """Have it write a note, or only read: `notes` or `error`, and what it logged as `log`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(note, file=self._process.stdin, flush=True)
        said: Said = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def another_process(url: str) -> Iterator[User]:
    """A process of its own that uses the store, stopped in order at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.blocks.store_user", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield User(process)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was logged."""
        self.lines.append(record.getMessage())


async def _use(url: str) -> None:
    store, kept = IncidentStore(url=SecretStr(url)), _Kept()
    logging.getLogger("runbook.store").addHandler(kept)
    while line := await asyncio.to_thread(sys.stdin.readline):
        kept.lines.clear()
        try:
            if note := line.strip():
                await store.append(INCIDENT, NoteAdded(by="another", text=note), at=AT)
            incident = await store.read(INCIDENT)
        except (OutsideError, UnknownIncident) as error:
            said: Said = {"error": str(error)}
        else:
            said = {"notes": [event.text for event in incident.events(NoteAdded)]}
        print(json.dumps({**said, "log": kept.lines}), flush=True)


if __name__ == "__main__":
    asyncio.run(_use(sys.argv[1]))
