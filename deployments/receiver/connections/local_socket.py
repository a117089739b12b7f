"""The receiver's local socket: a file in the runbook's folder; the kernel identifies its peer.

The kernel notes who connects, in our own numbering of users: a process that makes itself another user in a
namespace of its own is seen as who it is. So an account is proven here; a name that a client tells is not.
"""

import errno
import grp
import os
import socket
import stat
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PEER = "peer"
"""Under this name the state of a request has the `Peer` of its connection, if it came over the socket."""

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_BACKLOG = 128


@dataclass(frozen=True)
class Peer:
    """The process at the other end of a connection when it was made, as the kernel has it."""

    pid: int
    uid: int


def peer_of(connection: Any) -> Peer | None:
    """The process at the other end of a local connection; `None` for a connection of another kind."""
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return Peer(pid=pid, uid=uid)


class SocketInUse(OSError):
    """Another receiver listens there."""


class LocalSocket:
    """A listening socket at a path. Entered, it is there; left, the file is gone.

    Only our own user may connect, unless a group is named: then its members may too.
    """

    def __init__(self, path: Path, *, group: str = "") -> None:
        self.path = path
        self._group = group
        self._folder = -1
        self._file: tuple[int, int] | None = None
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> Self:
        """Make the file and listen.

        Raises:
            SocketInUse: another receiver listens there.
            OSError: it cannot be; one line says why and what to do.
        """
        try:
            self._listen()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            found = os.stat(self.path.name, dir_fd=self._folder, follow_symlinks=False)
            if (found.st_dev, found.st_ino) == self._file:  # not another receiver's in the meantime
                os.unlink(self.path.name, dir_fd=self._folder)
        self._close()

    def _listen(self) -> None:
        group = _group_id(self._group)
        self._make_folder(group)
        self._folder = os.open(self.path.parent, os.O_DIRECTORY | os.O_PATH)
        self._require_safe_folder()
        self._clear_stale()
        os.fchmod(self.listener.fileno(), 0o600)  # what the file has from its first moment
        self.listener.bind(self._short_path())
        if group is not None:
            os.chown(self.path.name, -1, group, dir_fd=self._folder, follow_symlinks=False)
            os.chmod(self.path.name, 0o660, dir_fd=self._folder)
        found = os.stat(self.path.name, dir_fd=self._folder, follow_symlinks=False)
        self._file = found.st_dev, found.st_ino
        self.listener.listen(_BACKLOG)

    def _make_folder(self, group: int | None) -> None:
        folder = self.path.parent
        if folder.exists():
            return
        folder.mkdir(mode=0o700, parents=True)
        if group is not None:  # to connect, its members have to get through
            os.chown(folder, -1, group)
            folder.chmod(0o710)

    def _require_safe_folder(self) -> None:
        found = os.fstat(self._folder)
        writable = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in (os.geteuid(), 0) or writable:
            raise OSError(
                errno.EPERM,
                f"other users can replace files in {self.path.parent}: let only this user write "
                "to it, or set another "
                "[receiver] socket",
            )

    def _clear_stale(self) -> None:
        """Take away what a receiver that was killed has left; nothing else."""
        try:
            found = os.stat(self.path.name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError(
                errno.EEXIST,
                f"{self.path} exists and is not a socket of the runbook: remove it, or set "
                "another [receiver] socket",
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(self._short_path())
            except (ConnectionRefusedError, FileNotFoundError):
                os.unlink(self.path.name, dir_fd=self._folder)
                return
        raise SocketInUse(errno.EADDRINUSE, f"another receiver listens on {self.path}")

    def _short_path(self) -> str:
        return short_path(self._folder, self.path.name)

    def _close(self) -> None:
        self.listener.close()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


def short_path(folder: int, name: str) -> str:
    """A path by an open folder: an address of a socket has room for a hundred letters only."""
    return f"/proc/self/fd/{folder}/{name}"


def _group_id(name: str) -> int | None:
    if not name:
        return None
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        problem = f"there is no group {name!r}: create it, or set another [receiver] socket_group"
        raise OSError(errno.EINVAL, problem) from None


def is_socket(path: Path) -> bool:
    """Whether there is a socket at that path itself; a link to one does not count."""
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False
