"""Standard output and error that never fail: a full disk behind them must not stop a receiver or a worker.

`logging` takes care of itself, but `print` does not, nor does Prefect where it passes on what its runs print;
and a process whose last lines cannot be written ends with another exit code than its own.
"""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Dropping(io.RawIOBase):
    """A file that takes everything. What cannot be written is dropped, and told once there is room again."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._dropped = 0

    def writable(self) -> bool:
        """Whether it can be written: always."""
        return True

    def fileno(self) -> int:
        """The file itself."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or drop."""
        size = memoryview(data).nbytes
        try:
            if self._dropped:
                os.write(self._descriptor, f"\n[{self._dropped} bytes could not be written here]\n".encode())
                self._dropped = 0
            return os.write(self._descriptor, data)
        except OSError:
            self._dropped += size
            return size


def never_fail() -> None:
    """Have this process's standard output and error drop what cannot be written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):
            continue  # there is none, or it is no file
        with suppress(OSError):
            stream.flush()
        file = io.BufferedWriter(_Dropping(descriptor))
        new = io.TextIOWrapper(file, stream.encoding, "backslashreplace", line_buffering=True)
        setattr(sys, name, new)
