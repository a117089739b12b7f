"""An incident store's SQLite file: it can be deleted, emptied, replaced or cut off from its log while in use.

SQLite notices nothing of it: a process that has the file open goes on writing to what no other process can
read. So each use looks whether the open files are those at the path, which costs three calls of `stat`.

A process that starts after the deletion would make an empty store. So there is a witness beside the file: it
holds the id of the store, and while it exists no other store is created or used instead.
"""

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import OperationalError

from blocks.files.owners import require_own_file
from blocks.store.database.errors import DAMAGED, SYSTEM, StoreUnavailable
from blocks.store.database.tables import STORE

log = logging.getLogger("runbook.store")

_FILES, _BEFORE = "runbook_files", "runbook_before"

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF
"""SQLite's extended error codes have the primary one in their last byte."""

Identity = tuple[int, int] | None
"""Device and inode of a file; `None` if there is no file."""


class Files(NamedTuple):
    """The files of a database: itself, its write-ahead log, and the index of that."""

    main: Identity
    wal: Identity
    shm: Identity


class Renewed(Exception):
    """A connection to these files is no longer usable. `kept`: what it wrote is in the files at the path."""

    def __init__(self, doubt: str, files: Files, *, kept: bool) -> None:
        self.doubt = doubt
        self.files = files
        self.kept = kept
        super().__init__(doubt)


class StoreFile:
    """The file at a path, and what this process's connections to it have opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._witness = path.with_name(f".{path.name}.store-id")
        self._wal = path.with_name(f"{path.name}-wal")
        self._shm = path.with_name(f"{path.name}-shm")
        self._index_bytes = 0
        self._whole: tuple[Identity, int] = (None, 0)
        """The main file, and how long it was when it was found whole."""

    @property
    def advice(self) -> str:
        """What to do where the file is gone, or another one."""
        return (
            f"Put it back; to start over with the present file, stop the runbook and delete {self._witness}"
        )

    def guard(self, engine: Engine) -> None:
        """Keep an engine's connections from creating the file; to be called before `prepare_sqlite`."""
        event.listen(engine, "do_connect", self._before_connecting)

    def watch(self, engine: Engine) -> None:
        """Have each connection of an engine know its files; to be called after `prepare_sqlite`."""
        event.listen(engine, "connect", self._connected)

    def require(self, connection: Connection) -> None:
        """Do nothing if a connection still has the files open that are at the path. It has no transaction.

        Raises:
            Renewed: they were replaced by new files; connect again.
            Unavailable: the file is gone, or was cut short.
        """
        self._mend_index()
        opened: Files = connection.info[_FILES]
        there = self._there()
        if there.main is not None and there.main == opened.main:
            self._require_whole(there.main)
        if there == opened:
            return
        self._require_main(there)
        if there.main != opened.main:
            self._leave(connection)
            raise Renewed(f"{self.path} was replaced by a new file", opened, kept=False)
        made_anew = self._made_anew(there, opened)
        if not made_anew:
            self._save(connection)
        doubt = f"the write-ahead log of {self.path} was deleted while the runbook used it"
        raise Renewed(doubt, opened, kept=not made_anew)

    def part_from_its_log(self, opened: Files) -> None:
        """Delete the log of a file that was replaced, if it is there: SQLite would play it into the new one.

        To be called once this process has closed its connections to the old one, which has all of it by then.
        """
        there = self._there()
        if there.main == opened.main:
            return
        for path, now, was in ((self._wal, there.wal, opened.wal), (self._shm, there.shm, opened.shm)):
            if now is not None and now == was:
                path.unlink(missing_ok=True)

    def recognise(self, connection: Connection) -> None:
        """Do nothing unless this is not the store that was here. To be called before its tables are touched.

        Raises:
            Unavailable: another database is here, and nobody has said that a store may be begun in it.
        """
        if not self._known():
            return
        try:
            found = connection.execute(select(STORE.c.id)).scalars().first()
        except OperationalError as error:
            if "no such table" not in str(error.orig):
                raise
            said = f"{self.path} has no runbook store, so it is not the one that was here before"
            raise StoreUnavailable(SYSTEM, said, self.advice) from None
        if found is not None:
            self.confirm(found)

    def confirm(self, store_id: str) -> None:
        """Do nothing if the store with that id may be at this path; keep that it is.

        Raises:
            Unavailable: another one was here, and nobody has said that it may be replaced.
        """
        known = self._known()
        if known == store_id:
            return
        if known:
            which = f"{store_id[:8]} instead of {known[:8]}"
            raise StoreUnavailable(
                SYSTEM, f"{self.path} is not the store that was here before ({which})", self.advice
            )
        try:
            require_own_file(self._witness)
            descriptor = os.open(self._witness, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{store_id}\n")
        except OSError as error:
            log.warning(
                "%s cannot be written (%s): processes that start later cannot detect a replaced store",
                self._witness,
                error,
            )

    def _before_connecting(self, _dialect: Any, record: Any, _args: Any, _options: Any) -> None:
        there = self._there()
        if there.main is None and self._known():
            self._require_main(there)
        record.info[_BEFORE] = there.main

    def _connected(self, _connection: Any, record: Any) -> None:
        there = self._there()
        if record.info.pop(_BEFORE) not in (None, there.main):
            raise StoreUnavailable(SYSTEM, f"{self.path} was replaced while it was opened", "Try again")
        record.info[_FILES] = there

    def _mend_index(self) -> None:
        """Give the log's index its length back, if somebody has cut it short.

        SQLite has it mapped into memory, and the kernel ends a process that reads beyond a file's end. An
        index of zeros is one that SQLite rebuilds from the log. It is not opened for that: to close
        it again would let go of the locks that this process holds on it.
        """
        try:
            size = os.stat(self._shm).st_size
            if size < self._index_bytes:
                os.truncate(self._shm, 0)  # what was left may look whole
                os.truncate(self._shm, self._index_bytes)
                log.error("%s was truncated and is created again", self._shm)
        except OSError:  # it is gone or not writable: the comparison of the files shows which
            return
        self._index_bytes = max(size, self._index_bytes)

    def _require_whole(self, main: Identity) -> None:
        """Have a file that became shorter looked through: SQLite does that after VACUUM, and nobody else.

        SQLite itself goes on with a file that was cut short until it needs a page that is missing.

        Raises:
            Unavailable: pages are missing.
        """
        known, longest = self._whole
        size = self.path.stat().st_size
        if main == known and size < longest and not self._is_sound():
            raise StoreUnavailable(SYSTEM, f"its file {self.path} was truncated", DAMAGED)
        self._whole = (main, size)

    def _is_sound(self) -> bool:
        """Whether all pages are there, for a connection that has none of them in its memory."""
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as fresh:
            try:
                return bool(fresh.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)])
            except sqlite3.DatabaseError as error:
                if _is_damage(error):
                    return False
                raise

    def _leave(self, connection: Connection) -> None:
        """Bring the log into the file that was there, which SQLite itself would not, at its end.

        A file that is damaged takes nothing more, and was replaced for that.
        """
        try:
            self._bring_the_log_in(connection)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            log.error("%s was damaged when it was replaced; its log is lost", self.path)

    def _require_main(self, there: Files) -> None:
        if there.main is None:
            became = "is empty" if self.path.exists() else "is gone"
            raise StoreUnavailable(SYSTEM, f"its file {self.path} {became}", self.advice)

    def _there(self) -> Files:
        main = _identity(self.path, least=1)  # SQLite takes an empty file for a database that is to be made
        return Files(main, _identity(self._wal), _identity(self._shm))

    def _known(self) -> str:
        try:
            return self._witness.read_text(errors="replace").strip()
        except OSError:
            return ""

    def _made_anew(self, there: Files, opened: Files) -> bool:
        """Whether another process has opened the file with a new log, so that ours is not to be saved."""
        if there.wal == opened.wal:
            return there.shm not in (None, opened.shm)
        return self._wal.exists() and self._wal.stat().st_size > 0

    def _save(self, connection: Connection) -> None:
        """Bring what only the deleted log holds into the file, before anybody opens that with an empty log.

        Whoever else has the deleted log open sees by the number in the store that this was done.
        """
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")  # waits for the present writer
            cursor.execute("UPDATE incident_store SET renewed = renewed + 1")
            cursor.execute("COMMIT")
        self._bring_the_log_in(connection)
        log.error("The write-ahead log of %s was deleted; its content was saved", self.path)

    def _bring_the_log_in(self, connection: Connection) -> None:
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = bool(cursor.fetchall()[0][0])
        if busy:
            raise StoreUnavailable(
                SYSTEM,
                f"the files of {self.path} were replaced, and the old ones are still in use",
                "Try again",
            )


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _DAMAGE


def _identity(path: Path, *, least: int = 0) -> Identity:
    """Which file is at a path; `None` if there is none, or one with fewer bytes than these."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size >= least else None
