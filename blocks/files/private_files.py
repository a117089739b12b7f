"""Files and folders that only their owner can read: journals, evidence and Prefect's database quote secrets.

The umask of our own processes sees to it. Modes are given explicitly besides, since a stock Prefect worker
runs our tasks with a umask of its own, and corrected where an earlier release left them open.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from blocks.files.owners import below, replaceable_in, require_own_file, require_own_files, require_own_folder
from blocks.transport.errors import Refused

STATE_FOLDER = ".runbook"
"""What is in a folder of this name is ours, so its modes are ours to correct."""

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SQLITE_SUFFIXES = ("", "-wal", "-shm", "-journal")


def private_folder(folder: Path, *, thoroughly: bool = False) -> list[str]:
    """Make a folder, and what is missing above it, for its owner only; correct a state folder that is open.

    A state folder is looked through where it is open itself: in a closed one nobody reaches the rest.
    `thoroughly` looks through it in any case. A folder of another name keeps its mode, since it may hold more
    than ours and be shared on purpose. Returns a line for people about each correction, and about a folder
    above in which others can replace it.

    Raises:
        Refused: it is another user's, there is something of another user's in a state folder, or others can
            write in it, and could put a database or a secret of theirs in the place of ours.
        OSError: it cannot be made.
    """
    folder = folder.absolute()
    for each in _of_ours(folder):
        require_own_folder(each)
    make_private(folder)
    corrected = [line for top in _state_folders(folder) if (line := _correct(top, thoroughly=thoroughly))]
    mode = folder.stat().st_mode
    if mode & _OTHERS_WRITE:
        raise Refused(
            "folder",
            f"other users can write to {folder} (mode {_octal(mode)})",
            f"Restrict it (chmod go-w {folder}), or use a subfolder that only the runbook uses",
        )
    ours = _of_ours(folder)[0]
    if above := replaceable_in(ours):
        corrected.append(f"Others can put a folder of theirs in the place of {ours}: close {above} to them")
    return corrected


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, for its owner only; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=_FOLDER_MODE, exist_ok=True)  # another process may be as quick


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner only: whole or not at all, also where the process dies meanwhile.

    Raises:
        OSError: it cannot be written.
    """
    make_private(path.parent)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open_private(scratch, "xb") as file:
            file.write(content)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Open a file for writing (`wb`, `ab` or `xb`); a new one is for its owner only, an open one is closed.

    Raises:
        ForeignFile: it is another user's, or a link that another user made.
        OSError: it cannot be opened.
    """
    require_own_file(path)
    file = open(path, mode, opener=_create_private)  # noqa: SIM115
    _close(path)
    return file


def close_sqlite(database: Path) -> None:
    """Create an SQLite database for its owner only, or close one that is open to others, and its companions.

    SQLite gives the files beside a database the database's mode. An existing one is not opened: to close it
    again would let go of the locks that this process holds on it.

    Raises:
        ForeignFile: one of them is another user's, or a link that another user made.
        OSError: it cannot be created.
    """
    for suffix in _SQLITE_SUFFIXES:
        require_own_file(database.with_name(database.name + suffix))
    try:
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _FILE_MODE))
    except FileExistsError:
        for suffix in _SQLITE_SUFFIXES:
            _close(database.with_name(database.name + suffix))


def _create_private(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)


def _state_folders(folder: Path) -> list[Path]:
    return [each for each in (folder, *folder.parents) if each.name == STATE_FOLDER][-1:]


def _of_ours(folder: Path) -> list[Path]:
    """The folder, and those above it up to the state folder, from the outside in."""
    top = next(iter(_state_folders(folder)), folder)
    return [each for each in (*reversed(folder.parents), folder) if each == top or top in each.parents]


def _correct(top: Path, *, thoroughly: bool) -> str | None:
    was = top.stat().st_mode
    closed = _close(top)  # first, so that nobody enters meanwhile
    if not (closed or thoroughly):
        return None
    require_own_files(top)
    within = sum(_close(path) for path in below(top))
    if not (closed or within):
        return None
    told = (
        f"{top} was readable by other users (mode {_octal(was)})"
        if closed
        else f"{top} contained files that other users could read"
    )
    return f"{told}; now only you can read it, and the {within} files and folders in it that they could read"


def _close(path: Path) -> bool:
    """Take everybody else's rights away; whether there were any. What is another's or gone is left alone."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
            return True
    return False


def _octal(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"
