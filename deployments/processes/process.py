"""A process that we start: its output in a file, dead when we are, its early end told in its last words."""

import asyncio
import ctypes
import os
import random
import re
import signal
import socket
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from blocks.files.private_files import make_private, open_private
from blocks.transport.errors import Refused
from runbook.outside_text import let_in_line

STOP_SECONDS = 15.0
"""How long a process may take to stop before it is killed."""

_LAST_LINES = 8
_LINE_LENGTH = 300
_TAIL_BYTES = 16_384
_PR_SET_PDEATHSIG = 1

_PORTS = range(20_000, 30_000)
"""Below those that Linux (from 32768) and macOS (from 49152) give to outgoing connections."""
_PORTS_TRIED = 100


class EndedEarly(Refused):
    """A process that should run has ended."""


class Process:
    """A running child. Make one with `start`."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._child = child

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str],
        inherits: Collection[int] = (),
    ) -> "Process":
        """Start a command in a session of its own: a Ctrl-C reaches only us, and we stop it in order.

        `inherits` are open files of ours that it holds as long as it runs.
        """
        make_private(log.parent)
        with open_private(log, "ab") as output:
            child = await _spawn(command, output, environment, inherits)
        return cls(name, child, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.returncode is None

    def check(self) -> None:
        """Do nothing if it runs.

        Raises:
            EndedEarly: it has ended; the text has the last lines of its output.
        """
        if not self.running:
            raise EndedEarly(
                self.name,
                f"ended with exit code {self._child.returncode}{self._reason()}",
                f"Its log is {self.log}",
            )

    async def ended(self) -> None:
        """Wait until it ends.

        Raises:
            EndedEarly: always, when it has.
        """
        await self._child.wait()
        self.check()

    async def succeeded(self) -> None:
        """Wait until it ends with exit code 0.

        Raises:
            EndedEarly: it ended with another one.
        """
        if await self._child.wait() != 0:
            self.check()

    async def stop(self) -> None:
        """Stop it with SIGTERM, and with SIGKILL if it does not."""
        if not self.running:
            return
        self._child.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
            await self._child.wait()

    def _reason(self) -> str:
        lines = self.last_lines()
        return f": {' | '.join(lines)}" if lines else ", and wrote neither a warning nor an error"

    def last_lines(self) -> list[str]:
        """The last lines that it wrote, but for those of a log that only inform."""
        written = self.log.read_bytes()
        tail = written[-_TAIL_BYTES:]
        text = (tail if tail == written else tail.partition(b"\n")[2]).decode(errors="replace")
        return [let_in_line(line, _LINE_LENGTH) for line in _telling(text)][-_LAST_LINES:]


_INFORMS = re.compile(
    r"""
    \d\d:\d\d:\d\d\.\d+\ \|\ (?:INFO|DEBUG)\b      # Prefect
    | (?:INFO|DEBUG):                                # uvicorn
    | \{.*"level":\ ?"(?:info|debug)"               # ours
    """,
    re.VERBOSE,
)


def _telling(text: str) -> list[str]:
    """The lines that may say why a process ended."""
    return [line for line in text.splitlines() if line.strip() and not _INFORMS.match(line)]


async def _spawn(
    command: Sequence[str | Path],
    output: IO[bytes],
    environment: Mapping[str, str],
    inherits: Collection[int],
) -> asyncio.subprocess.Process:
    parent = os.getpid()
    return await asyncio.create_subprocess_exec(
        *(str(part) for part in command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(environment),
        start_new_session=True,
        pass_fds=tuple(inherits),
        preexec_fn=lambda: _die_with(parent),
    )


_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when the one that started it dies, kill -9 included."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


def free_port() -> int:
    """A port of loopback that nobody uses now, for a process that may be started again on it.

    Not one that the kernel would choose: it gives those to outgoing connections as well, so that one of them
    may have it by the time of the second start.

    Raises:
        Refused: none of many tried ones is free.
    """
    for port in random.sample(_PORTS, _PORTS_TRIED):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    range_ = f"{_PORTS[0]}-{_PORTS[-1]}"
    raise Refused("network", f"no free port on 127.0.0.1 among {range_}", "Stop what listens there")


def require_free(host: str, port: int, *, what: str, advice: str) -> None:
    """Do nothing if the port is free.

    Raises:
        Refused: something listens there.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            cause = os.strerror(error.errno) if error.errno else str(error)
            raise Refused(what, f"cannot listen on {host} port {port} ({cause})", advice) from None
