"""Blocking clients in threads: each system has threads of its own, and a call that is given up ends.

The event loop's own threads are few (six on two cores). A system that hangs in all of them would stop every
other one, and a thread whose peer sends a byte now and then never ends by the client's own timeouts.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from typing import TypeVar
from weakref import WeakKeyDictionary

_Answer = TypeVar("_Answer")


class _Call:
    """A call in a thread and the socket that it waits at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._given_up = False

    def waits_at(self, peer: socket.socket | None) -> None:
        with self._lock:
            self._socket = peer
            if self._given_up:
                self._shut()

    def give_up(self) -> None:
        with self._lock:
            self._given_up = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                # the plain socket's method: TLS would say goodbye first, in a thread that is not its own
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_CALL: ContextVar[_Call] = ContextVar("call")


def waits_at(peer: socket.socket | None) -> None:
    """Have this socket shut when the call that this thread makes is given up."""
    if call := _CALL.get(None):
        call.waits_at(peer)


class Threads:
    """The threads of one outside system, at most `size` in each event loop."""

    def __init__(self, system: str, size: int) -> None:
        self._system = system
        self._size = size
        # by loop: a process that is forked from one with threads has none of them
        self._of: WeakKeyDictionary[asyncio.AbstractEventLoop, ThreadPoolExecutor] = WeakKeyDictionary()

    async def run(self, call: Callable[[], _Answer]) -> _Answer:
        """Make a blocking call. Whoever stops waiting for it has its connection shut, so that it ends."""
        current = _Call()
        context = copy_context()
        context.run(_CALL.set, current)

        def make() -> _Answer:
            try:
                return context.run(call)
            finally:
                current.waits_at(None)  # the connection may be another call's by now

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor(loop), make)
        except asyncio.CancelledError:
            current.give_up()
            raise

    def _executor(self, loop: asyncio.AbstractEventLoop) -> ThreadPoolExecutor:
        if loop not in self._of:
            self._of[loop] = ThreadPoolExecutor(self._size, thread_name_prefix=self._system)
        return self._of[loop]
