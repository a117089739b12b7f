"""A process that has imported Prefect and the flows, and forks a ready engine process for each flow run.

Importing Prefect takes over a second, a fork some milliseconds. The zygote runs no flow, no thread and no
event loop, so a fork is safe. Runs use the code as it was when the worker started: restart the worker after
a deploy, as Prefect's documentation says of any worker.

Protocol, one connection per run (`deployments/worker/warm_run.py` is the other side): length, working
directory and environment; then a byte per signal to deliver; the exit code comes back. A peer that goes away
was killed, so its process is killed too. Runs write to the worker's own output, which outlives the worker; a
pipe would not.

A request without a working directory prepares a process for a run (`deployments/worker/prepared.py`), which
waits for the run's own request as long as its connection stays open.
"""

import gc
import os
import runpy
import selectors
import signal
import socket
import sys
import time
import warnings
from dataclasses import dataclass
from typing import NoReturn

from deployments.worker.prepared import Preparation, get_ready, parsed
from deployments.worker.warm_run import LENGTH, RUN, STATUS, TAKEN

_REQUEST_SECONDS = 5.0  # the peer is on this machine and sends at once
_FAREWELL_SECONDS = 10.0  # for runs to record that they were terminated, when the worker is gone


@dataclass
class _Run:
    connection: socket.socket
    pid: int
    pidfd: int
    attended: bool = True


@dataclass
class _Prepared:
    """A process that waits for its run; `channel` is the way to it."""

    connection: socket.socket
    pid: int
    pidfd: int
    channel: socket.socket


@dataclass(frozen=True)
class ZygoteHandle:
    """The worker's side. Its end of the pipe closes when the worker ends for any reason."""

    pid: int
    held: int

    def dismiss(self) -> None:
        """Let every run record that it was terminated. Return when all have ended, within ten seconds."""
        os.close(self.held)
        os.waitpid(self.pid, 0)


def start_zygote(path: str) -> ZygoteHandle:
    """Fork a zygote that serves at the Unix socket `path` as long as this process lives.

    Call it before the first thread or event loop.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen()
    alive, held = os.pipe()
    gc.freeze()  # collections in the forks then leave the shared pages alone
    pid = os.fork()
    if pid == 0:
        os.close(held)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                number, signal.SIG_IGN
            )  # the worker decides; the end of its pipe is the sign to stop
        Zygote(listener, alive).serve()
    os.close(alive)
    listener.close()
    return ZygoteHandle(pid, held)


class Zygote:
    """Serves requests for processes, in one thread."""

    def __init__(self, listener: socket.socket, alive: int) -> None:
        self._listener = listener
        self._alive = alive
        self._runs: dict[int, _Run] = {}  # by process id
        self._prepared: dict[str, _Prepared] = {}  # by the run's id
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(alive, selectors.EVENT_READ, self._farewell)

    def serve(self) -> NoReturn:
        """Serve until the worker is gone."""
        while True:
            self._handle_next(timeout=None)

    def _handle_next(self, timeout: float | None) -> bool:
        """Handle one event only, since that may end the process of another. Return if there was one."""
        events = self._selector.select(timeout)
        if events:
            events[0][0].data()
        return bool(events)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(_REQUEST_SECONDS)
        try:
            folder, environment = _receive(connection)
            connection.sendall(TAKEN)
        except (OSError, ValueError):
            connection.close()  # the peer sees the end and starts the run itself
            return
        connection.settimeout(None)
        if not folder:
            self._prepare(connection, environment)
            return
        waiting = self._prepared.pop(environment.get(RUN, ""), None)
        if waiting is None or not self._hand_over(waiting, folder, environment):
            pid = os.fork()
            if pid == 0:
                self._become_engine(connection, folder, environment)
            run = _Run(connection, pid, os.pidfd_open(pid))
        else:
            run = _Run(connection, waiting.pid, waiting.pidfd)
        self._runs[run.pid] = run
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._deliver_signal(run))
        self._selector.register(run.pidfd, selectors.EVENT_READ, lambda: self._report_exit(run))

    def _prepare(self, connection: socket.socket, environment: dict[str, str]) -> None:
        """Fork a process that gets ready for a run. Without it, the run's own request forks one."""
        try:
            preparation = Preparation.of(environment)
        except ValueError:
            connection.close()
            return
        run, (ours, theirs) = str(preparation.run), socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._leave(connection)
            get_ready(preparation, theirs)
        theirs.close()
        prepared = _Prepared(connection, pid, os.pidfd_open(pid), ours)
        if earlier := self._prepared.pop(run, None):
            self._dismiss(earlier)
        self._prepared[run] = prepared
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._not_needed(run, prepared))
        self._selector.register(prepared.pidfd, selectors.EVENT_READ, lambda: self._not_needed(run, prepared))

    def _not_needed(self, run: str, prepared: _Prepared) -> None:
        """The worker does not start the run after all, or the process has ended by itself."""
        if self._prepared.get(run) is prepared:
            del self._prepared[run]
        self._dismiss(prepared)

    def _dismiss(self, prepared: _Prepared) -> None:
        self._let_go_of(prepared)
        os.kill(prepared.pid, signal.SIGKILL)
        os.waitpid(prepared.pid, 0)
        os.close(prepared.pidfd)

    def _let_go_of(self, prepared: _Prepared) -> None:
        self._selector.unregister(prepared.connection)
        self._selector.unregister(prepared.pidfd)
        prepared.connection.close()
        prepared.channel.close()

    def _hand_over(self, prepared: _Prepared, folder: str, environment: dict[str, str]) -> bool:
        """Have a process that has got ready become the engine of its run; whether it does."""
        pairs = (f"{name}={value}".encode(errors="surrogateescape") for name, value in environment.items())
        request = b"\0".join([folder.encode(errors="surrogateescape"), *pairs])
        try:
            prepared.channel.sendall(LENGTH.pack(len(request)) + request)
        except OSError:
            self._dismiss(prepared)
            return False
        self._let_go_of(prepared)
        return True

    def _deliver_signal(self, run: _Run) -> None:
        try:
            number = run.connection.recv(1)
        except OSError:
            number = b""
        if number:
            os.kill(run.pid, number[0])
            return
        self._selector.unregister(run.connection)
        run.attended = False
        os.kill(run.pid, signal.SIGKILL)

    def _report_exit(self, run: _Run) -> None:
        _, status = os.waitpid(run.pid, 0)
        self._selector.unregister(run.pidfd)
        if run.attended:
            self._selector.unregister(run.connection)
            try:
                run.connection.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))
            except OSError as error:
                print(f"Exit of process {run.pid} not reported: {error.strerror}", file=sys.stderr)
        os.close(run.pidfd)
        run.connection.close()
        del self._runs[run.pid]

    def _farewell(self) -> NoReturn:
        """Let the runs record that they were terminated. Without their worker nothing else records it."""
        self._selector.unregister(self._alive)
        self._selector.unregister(self._listener)
        for run, prepared in list(self._prepared.items()):
            self._not_needed(run, prepared)
        for pid in self._runs:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while self._runs and self._handle_next(max(0.0, deadline - time.monotonic())):
            continue
        for pid in self._runs:
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def _become_engine(self, connection: socket.socket, folder: str, environment: dict[str, str]) -> NoReturn:
        """Make this fork what `python -m prefect.engine` would be, and end with its exit code."""
        self._leave(connection)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        raise SystemExit(_run_engine())

    def _leave(self, connection: socket.socket) -> None:
        """Let go, in a fork, of all that is the zygote's."""
        self._selector.close()
        for run in self._runs.values():
            run.connection.close()
            os.close(run.pidfd)
        for prepared in self._prepared.values():
            prepared.connection.close()
            prepared.channel.close()
            os.close(prepared.pidfd)
        self._listener.close()
        connection.close()
        os.close(self._alive)
        os.setsid()  # Ctrl-C in the worker's terminal is for the worker
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)


def _run_engine() -> int:
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
    sys.argv = ["prefect.engine"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # runpy: the module is imported already, as intended
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
    return 0


def _receive(connection: socket.socket) -> tuple[str, dict[str, str]]:
    (length,) = LENGTH.unpack(_receive_exactly(connection, LENGTH.size))
    return parsed(_receive_exactly(connection, length))


def _receive_exactly(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        if not chunk:
            raise ValueError("the request ended early")
        received += chunk
    return received
