"""How our own Prefect server is reached: its password, and where it runs, in files of the state folder.

The password is made once for an installation. Whoever has it may do everything in Prefect, and with that run
code on the worker: it stands in a file for its owner only, and never on a command line, in a log or an error.
"""

import asyncio
import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from blocks.files.owners import require_own_file
from blocks.files.private_files import open_private, private_folder, write_private
from blocks.transport.errors import Refused

PASSWORD_FILE = "prefect-password"  # noqa: S105  its name
SERVER_FILE = "prefect-server.json"

_USER = "runbook"
_RANDOM_BYTES = 32
_CLAIM_ATTEMPTS = 100  # a server whose `runbook up` was killed takes some seconds to end
_CLAIM_POLL_SECONDS = 0.05
_LOOPBACK = {"localhost": "127.0.0.1"}


@dataclass(frozen=True)
class Access:
    """A server of ours. `password` is what Prefect calls the auth string: a user, a colon, a password.

    `api_url` is on this machine. `ui_url` is where people reach the UI, which may be a public address.
    """

    api_url: str
    ui_url: str
    password: str = field(repr=False)
    password_file: Path

    def serves(self, url: str) -> bool:
        """Whether a URL leads to this server's API."""
        return _place(url) == _place(self.api_url)

    def login(self, *, terminal: bool) -> str:
        """What to type in Prefect's UI; where no person reads along, as in a log, only where it stands."""
        return self.password if terminal else f"in {self.password_file}"

    @property
    def exports(self) -> str:
        """What a shell elsewhere has to export; it reads the password from its file."""
        read = f'"$(cat {shlex.quote(str(self.password_file))})"'
        return f"export PREFECT_API_URL={self.api_url} PREFECT_API_AUTH_STRING={read}"


def password_of(state: Path) -> str:
    """The password of the server that has claimed this state folder; made when it is first asked for.

    Remove its file and start the server again to have another one.

    Raises:
        Refused: the file is empty.
        OSError: it cannot be read or made, or another user has put it there.
    """
    path = state / PASSWORD_FILE
    require_own_file(path)
    if not path.exists():
        write_private(path, f"{_USER}:{secrets.token_urlsafe(_RANDOM_BYTES)}\n".encode())
    password = path.read_text(encoding="utf-8").strip()
    if not password:
        raise Refused(
            "Prefect's server", f"its password file {path} is empty", "Remove it; a new one is created"
        )
    return password


async def claim(state: Path, *, api_url: str, ui_url: str) -> IO[bytes]:
    """Say where the server of a state folder runs; returns the file, whose lock says that it still runs.

    The server inherits the file: the kernel lets go of the lock when the last process that has it is gone.

    Raises:
        Refused: another server works with this state folder, or others can write in it.
    """
    private_folder(state)
    path = state / SERVER_FILE
    file = open_private(path, "ab")
    try:
        await _lock(file, path)
        file.truncate(0)
        file.write(json.dumps({"api_url": api_url, "ui_url": ui_url}).encode())
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def earlier_port(state: Path) -> int | None:
    """The port on which the last server of this state folder listened; `None` where there was none.

    Links in journals and messages lead to it, and people have it in bookmarks and tunnels.
    """
    try:
        api_url: str = json.loads((state / SERVER_FILE).read_bytes())["api_url"]
        return urlsplit(api_url).port
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # there is none, or it is being written


def find_access(states: Iterable[Path]) -> Access | None:
    """The running server that has one of these state folders; the first that is found.

    A file that nobody holds is of a server that has ended: another user may listen on its port by now, so the
    password is not for that address.
    """
    return next(filter(None, map(_access_in, states)), None)


def _access_in(state: Path) -> Access | None:
    try:
        with (state / SERVER_FILE).open("rb") as file:
            if os.geteuid() not in (0, os.fstat(file.fileno()).st_uid):
                return None
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            said = json.load(file)
        password = (state / PASSWORD_FILE).read_text(encoding="utf-8").strip()
        return Access(said["api_url"], said["ui_url"], password, (state / PASSWORD_FILE).absolute())
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is being written, or not ours to read


async def _lock(file: IO[bytes], path: Path) -> None:
    """A command that looks whether the server runs has the lock for a moment."""
    for _ in range(_CLAIM_ATTEMPTS):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        await asyncio.sleep(_CLAIM_POLL_SECONDS)
    advice = "Use it, or stop it first (Ctrl-C where `runbook up` runs)"
    raise Refused("Prefect's server", f"a server already runs with the state in {path.parent}", advice)


def _place(url: str) -> tuple[str, int | None, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return _LOOPBACK.get(host, host), parts.port, parts.path.rstrip("/")
