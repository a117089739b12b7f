"""Whose a file is: what another user has planted where ours belongs is not read, written or followed.

Whoever owns a folder can put anything in it, so a folder is ours if its owner is this process's user or root.
The same goes for a file, and for a link: where it leads to counts only if one of these made it. What is ours
and nobody else can write stays ours, so this is asked when a folder or file is begun with.
"""

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from blocks.transport.errors import Refused

_FILES_SHOWN = 3


class ForeignFile(PermissionError):
    """A file that another user owns, or a link that another user made. Nothing was read or written."""


def is_ours(info: os.stat_result) -> bool:
    """Whether what was found belongs to this process's user, or to root."""
    return info.st_uid in (os.geteuid(), 0)


def require_own_folder(folder: Path) -> None:
    """Do nothing if a folder is ours or not there yet, and the link is ours where it is one.

    Raises:
        Refused: it belongs to another user.
        OSError: it is not a folder, or it cannot be read.
    """
    for info in _found(folder):
        if not is_ours(info):
            what = f"the link {folder}" if stat.S_ISLNK(info.st_mode) else f"{folder}"
            raise Refused(
                "folder",
                f"{what} belongs to the user {name_of(info.st_uid)}",
                "See what is in it, then remove it or name another folder; or run as that user",
            )
        if not (stat.S_ISDIR(info.st_mode) or stat.S_ISLNK(info.st_mode)):
            why = "it is not a folder; remove it, or name another one"
            raise NotADirectoryError(errno.ENOTDIR, why, str(folder))
    if folder.is_symlink() and not folder.exists():
        why = "the link leads to nothing; make what it leads to, or remove the link"
        raise NotADirectoryError(errno.ENOTDIR, why, str(folder))


def require_own_files(top: Path) -> None:
    """Do nothing if all that is in a folder of ours is ours.

    Raises:
        Refused: something belongs to another user; the text names the first ones.
    """
    foreign = [path for path in below(top) if _is_foreign(path)]
    if foreign:
        shown = ", ".join(map(str, foreign[:_FILES_SHOWN]))
        owners = " and ".join(sorted({name_of(path.lstat().st_uid) for path in foreign[:_FILES_SHOWN]}))
        more = f" and {len(foreign) - _FILES_SHOWN} more" if len(foreign) > _FILES_SHOWN else ""
        raise Refused(
            "folder",
            f"in {top} there is something of another user's ({owners}): {shown}{more}",
            "See what it is, then remove it",
        )


def require_own_file(path: Path) -> None:
    """Do nothing if a file is ours, or not there yet.

    Raises:
        ForeignFile: it is another user's, or a link that another user made.
        OSError: it is a pipe.
    """
    try:
        found = list(_found(path))
    except OSError:
        return  # whoever opens it meets the same error, and tells it
    for info in found:
        if not (is_ours(info) or _is_read_by_root(path, info)):
            what = "the link" if stat.S_ISLNK(info.st_mode) else "it"
            why = f"{what} belongs to the user {name_of(info.st_uid)}; see what it is, and remove it"
            raise ForeignFile(errno.EPERM, why, str(path))
    if found and stat.S_ISFIFO(found[-1].st_mode):  # to open it would wait for a reader
        raise OSError(errno.EPERM, "it is a pipe; remove it", str(path))


def replaceable_in(folder: Path) -> Path | None:
    """The folder above in which another user can put another one in the place of this one; `None`: nowhere.

    A sticky folder, such as /tmp, lets nobody replace what is another's.
    """
    for parent in folder.resolve().parents:
        info = parent.stat()
        everybody = info.st_mode & stat.S_IWOTH and not info.st_mode & stat.S_ISVTX
        if everybody or not is_ours(info):
            return parent
    return None


def below(top: Path) -> Iterator[Path]:
    """All that is in a folder, and in the folders in it."""
    for folder, folders, files in os.walk(top):
        yield from (Path(folder, name) for name in (*folders, *files))


def name_of(uid: int) -> str:
    """A user's name, or the number where it has none here."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _found(path: Path) -> Iterator[os.stat_result]:
    """What is at a path, and, where that is a link, what it leads to."""
    try:
        yield (info := path.lstat())
        if stat.S_ISLNK(info.st_mode):
            yield path.stat()
    except FileNotFoundError:
        return


def _is_read_by_root(path: Path, info: os.stat_result) -> bool:
    """Whether root looks at what a user keeps in a folder of their own, as `sudo runbook incidents` does."""
    return os.geteuid() == 0 and not path.is_symlink() and path.parent.stat().st_uid == info.st_uid


def _is_foreign(path: Path) -> bool:
    try:
        return not is_ours(path.lstat())
    except FileNotFoundError:  # another process has removed it meanwhile
        return False
