"""Wakes the workers of this machine as soon as a run is due, so that none has to wait for the next poll.

Each worker listens at a socket of its own in a folder that `runbook up` gives to the server and the workers.
A message says only that it is worth polling. Where none gets through, the next poll finds the run.
"""

import errno
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "RUNBOOK_WAKE_FOLDER"
"""The folder of the workers' sockets, in the environment of Prefect's server and the workers."""

SUFFIX = ".wake"

_MAKES_DUE = re.compile(r"/deployments/[^/]+/create_flow_run|/flow_runs/(?:[^/]+/resume)?")
_SETS_STATE = re.compile(r"/flow_runs/[^/]+/set_state")
_SCHEDULED = b"SCHEDULED"
_MOST_BYTES = 100_000
"""Of a request's body that are looked at: a state is at its beginning."""


class WakeWorkers:
    """ASGI middleware that wakes the workers after each request that may have made a run due."""

    def __init__(self, app: ASGIApp, *, folder: Path) -> None:
        self._app = app
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        path = scope["path"].partition("/api")[2]
        makes_due, seen, well = bool(_MAKES_DUE.fullmatch(path)), b"", False
        looks = bool(_SETS_STATE.fullmatch(path))

        async def watch_in() -> Message:
            nonlocal seen
            message = await receive()
            if looks and len(seen) < _MOST_BYTES:
                seen += message.get("body", b"")
            return message

        async def watch_out(message: Message) -> None:
            nonlocal well
            if message["type"] == "http.response.start":
                well = 200 <= message["status"] < 300
            await send(message)

        await self._app(scope, watch_in, watch_out)
        if well and (makes_due or _SCHEDULED in seen):
            wake_workers(self._folder)


def wake_workers(folder: Path) -> int:
    """Tell every worker that it is worth polling; returns how many were told. Sockets without one go.

    It never raises: the request that made a run due is answered by then. What is no socket is left alone.
    """
    told = 0
    with (
        suppress(OSError),  # the folder is gone, or no file can be opened: the workers poll
        _reachable(folder) as near,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending,
    ):
        sending.setblocking(False)
        for path in near.glob(f"*{SUFFIX}"):
            told += _wake(path, sending)
    return told


def _wake(path: Path, sending: socket.socket) -> bool:
    """Whether the worker of that socket was told."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return False
        sending.sendto(b"\0", str(path))
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:  # its worker is gone
            with suppress(OSError):
                path.unlink()
        return False
    return True


def listening(folder: Path, name: str) -> socket.socket:
    """A socket at which a worker of that name hears that it is worth polling.

    Raises:
        OSError: it cannot be made.
    """
    stop_listening(folder, name)  # one of an earlier process with this id
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.setblocking(False)
    with _reachable(folder) as near:
        heard.bind(str(near / f"{name}{SUFFIX}"))
    return heard


def stop_listening(folder: Path, name: str) -> None:
    """Take the socket of a worker of that name away."""
    (folder / f"{name}{SUFFIX}").unlink(missing_ok=True)


@contextmanager
def _reachable(folder: Path) -> Iterator[Path]:
    """The folder by a short name: the address of a socket has 108 bytes at most."""
    held = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{held}")
    finally:
        os.close(held)
