"""The command of a flow run on the warm worker: it asks the zygote for a process and represents it.

The worker sees an ordinary child: it takes the engine's signals and ends with its exit code.
Runs as `python -I -S warm_run.py SOCKET`, so it is standard library only and starts in some milliseconds.
"""

import os
import signal
import socket
import struct
import sys
from types import FrameType

LENGTH = struct.Struct("!I")
STATUS = struct.Struct("!i")
TAKEN = b"\1"
"""What the zygote says before it starts the process. Where that does not come, there is none."""

RUN = "PREFECT__FLOW_RUN_ID"
"""The run's id, in the environment of its process."""

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(path: str) -> int:
    """Run one flow run through the zygote at `path`; without a zygote, start the engine cold."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError as error:
            return _start_cold(error.strerror or "no answer")
        return _stand_in(connection)


def _start_cold(because: str) -> int:
    """Become the engine: this process goes on as `python -m prefect.engine`."""
    print(f"No warm process ({because}): starting a cold one", file=sys.stderr, flush=True)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is ignored would be ignored by the engine, too
    os.execv(sys.executable, [sys.executable, "-m", "prefect.engine"])  # noqa: S606  the engine itself


def _is_taken(connection: socket.socket, request: bytes) -> bool:
    """Whether the zygote takes the request: it may have died after it was connected to."""
    try:
        connection.sendall(LENGTH.pack(len(request)) + request)
        return connection.recv(1) == TAKEN
    except OSError:
        return False


def _stand_in(connection: socket.socket) -> int:
    def forward(signum: int, _frame: FrameType | None) -> None:
        connection.send(bytes([signum]))

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which then stops its runs
    for number in FORWARDED:
        signal.signal(number, forward)
    environment = (f"{name}={value}".encode(errors="surrogateescape") for name, value in os.environ.items())
    request = b"\0".join([os.fsencode(os.getcwd()), *environment])
    if not _is_taken(connection, request):
        return _start_cold("it has just died")
    answer = connection.recv(STATUS.size, socket.MSG_WAITALL)
    if len(answer) < STATUS.size:
        print("The warm process's parent is gone", file=sys.stderr, flush=True)
        return 1
    (code,) = STATUS.unpack(answer)
    if code < 0:  # killed: end by the same signal, so that the worker can tell why
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
