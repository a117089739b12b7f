"""Another process that uses an incident store, for as long as a test wants it to."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import UnknownIncident
from blocks.transport.errors import OutsideError
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import AT, INCIDENT, forking

Said = dict[str, list[str] | str]


class User:
    """The test's side of such a process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, note: str = "") -> Said:
        """Have it write a note, or only read: `notes` or `error`, and what it logged as `log`."""
        self._connection.send(note)
        said: Said = self._connection.recv()
        return said


@contextmanager
def another_process(url: str) -> Iterator[User]:
    """A process of its own that uses the store, stopped in order at the end."""
    context = forking()
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, url))
    process.start()
    theirs.close()
    try:
        yield User(ours)
    finally:
        ours.close()
        process.join()


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was logged."""
        self.lines.append(record.getMessage())


def _run(connection: Connection, url: str) -> None:
    asyncio.run(_use(connection, url))


async def _use(connection: Connection, url: str) -> None:
    """A note that is received is written into the incident's journal, an empty one only reads.

    What is sent back has the notes that are in the journal then, or why that was refused.
    """
    store, kept = IncidentStore(url=SecretStr(url)), _Kept()
    logging.getLogger("runbook.store").addHandler(kept)
    while True:
        try:
            note: str = await asyncio.to_thread(connection.recv)
        except EOFError:
            return
        kept.lines.clear()
        try:
            if note:
                await store.append(INCIDENT, NoteAdded(by="another", text=note), at=AT)
            incident = await store.read(INCIDENT)
        except (OutsideError, UnknownIncident) as error:
            said: Said = {"error": str(error)}
        else:
            said = {"notes": [event.text for event in incident.events(NoteAdded)]}
        connection.send({**said, "log": list(kept.lines)})
