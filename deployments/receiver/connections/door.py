"""The receiver's door: admits as many connections as there are files for, and closes those in the way.

Anybody may connect, and until its headers are there nobody can be told from an attacker. So a stranger has
its place only as long as nobody else needs it: whoever comes takes that of the stranger that has been there
longest, of the address or account that holds the most places. A sender's request arrives within the moment
that everybody has; once it has proved that it may send alerts, its connection is no longer a stranger's.
Whoever comes while all strangers are newer than a moment waits in the kernel's queue, where its request can
arrive.
"""

import asyncio
import errno
import logging
import os
import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, count, takewhile

import uvicorn

from deployments.processes.json_log import log_event
from deployments.receiver.connections.connections import Connection, Phase
from deployments.receiver.connections.places import LEAST_CONNECTIONS, files
from deployments.receiver.connections.refusals import FULL, IN_THE_WAY, NO_MORE_FILES
from deployments.receiver.metrics import ReceiverMetrics
from runbook.redaction import redact

FREE_FILES = 8
"""Fewer than these are never left to it, whatever it has opened."""


AT_ONCE = 4
"""How many are let in in one pass of the event loop, so that each is read before it can be in the way."""

MOMENT = 0.1
"""Seconds that a stranger has to itself."""

FOR_STRANGERS = 4
"""A quarter of the places is never kept by those who are known: somebody new has to get in, too."""

BUSY_SECONDS = 1.0
"""How long everybody inside may be busy until those who wait are refused."""

CHECK_SECONDS = 1.0
TOLD_EVERY = 10
"""Looks at all connections from one line in the log to the next."""

_READ_BYTES = 64 * 1024

NO_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


log = logging.getLogger("runbook.receiver")


class Door:
    """Lets connections in from listening sockets. As uvicorn wants its servers, it can be closed."""

    def __init__(
        self, server: uvicorn.Server, places: int, most_body_bytes: int, metrics: ReceiverMetrics
    ) -> None:
        self.most_body_bytes = most_body_bytes
        self._server = server
        self._wanted = self._places = places
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._listeners: list[socket.socket] = []
        self._arriving: set[asyncio.Task[None]] = set()
        self._strangers: dict[str, dict[Connection, None]] = {}  # by origin, the oldest first
        self._known: dict[Connection, None] = {}
        self._inside = 0
        self._busy_since: float | None = None
        self._spare: int | None = None
        self._untold: Counter[str] = Counter()
        self._watching = asyncio.create_task(self._end_overdue())
        metrics.watch_connections(lambda: self._inside)

    def open(self, listeners: Iterable[socket.socket]) -> None:
        """Admit connections to these sockets, which already listen."""
        self._keep_a_spare_file()
        for listener in listeners:
            listener.setblocking(False)
            self._listeners.append(listener)
            self._loop.add_reader(listener, self._admit, listener)

    def close(self) -> None:
        """Admit no more connections; those inside stay."""
        for listener in self._listeners:
            self._loop.remove_reader(listener)
        self._listeners.clear()

    async def wait_closed(self) -> None:
        """Stop looking after those who were inside, and close what was kept for those outside."""
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        self._close_the_spare_file()

    def arrived(self, connection: Connection) -> None:
        """A connection was made: a stranger's."""
        self._strangers.setdefault(connection.origin, {})[connection] = None

    def vouched(self, connection: Connection) -> None:
        """A stranger has proved that it may send alerts."""
        self._forget(connection)
        self._known[connection] = None

    def left(self, connection: Connection) -> None:
        """A connection is gone, and its place is free."""
        self._forget(connection)
        self._inside -= 1

    def shed(self, reason: str) -> None:
        """A connection was ended for this reason."""
        self._metrics.shed.labels(reason).inc()
        self._untold[reason] += 1

    def _forget(self, connection: Connection) -> None:
        self._known.pop(connection, None)
        same_origin = self._strangers.get(connection.origin, {})
        same_origin.pop(connection, None)
        if not same_origin:
            self._strangers.pop(connection.origin, None)

    def _admit(self, listener: socket.socket) -> None:
        """Let in some of those who wait. Whoever has to go first is gone with the next pass of the loop."""
        free = self._places - self._inside
        if free <= 0:
            if not self._make_room():
                self._full(listener)
            return
        self._busy_since = None
        for _ in range(min(free, AT_ONCE)):
            try:
                peer, _address = listener.accept()
            except OSError as error:
                if error.errno in NO_FILES:
                    self._no_files(listener)
                return  # nobody is left, or the one who was there is gone
            peer.setblocking(False)
            self._inside += 1
            task = self._loop.create_task(self._let_in(peer))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _let_in(self, peer: socket.socket) -> None:
        server = self._server
        connection = Connection(
            config=server.config,
            server_state=server.server_state,
            app_state=server.lifespan.state,
            _loop=self._loop,
            door=self,
            peer=peer,
        )
        try:
            await self._loop.connect_accepted_socket(lambda: connection, peer)
        except OSError:  # it has gone in between
            peer.close()
            if connection.transport is None:
                self._inside -= 1

    def _make_room(self, reason: str = IN_THE_WAY) -> bool:
        """End the one that is most in the way; whether there was one."""
        one = self._in_the_way()
        if one is None:
            return False
        self._forget(one)
        one.end(reason)
        return True

    def _in_the_way(self) -> Connection | None:
        """Whose place is to be taken next; nobody's where all are busy or have only come."""
        strangers = self._inside - len(self._known)
        if strangers * FOR_STRANGERS < self._places:
            idle = (one for one in self._known if one.phase in (Phase.IDLE, Phase.FAREWELL))
            if (known := next(idle, None)) is not None:
                return known
        waiting = (one for one in self._had_their_moment() if one.waits_for_its_peer())
        answered = (one for one in self._had_their_moment() if one.phase is Phase.ANSWER)
        return next(waiting, None) or next(answered, None)

    def _had_their_moment(self) -> Iterator[Connection]:
        """The strangers that are there longest, those of the origin that holds the most places first."""
        now = self._loop.time()
        for group in sorted(self._strangers.values(), key=len, reverse=True):
            yield from takewhile(lambda one: now - one.opened_at >= MOMENT, group)

    def _full(self, listener: socket.socket) -> None:
        """Nobody inside can be ended: have those outside wait for a moment, and refuse them after some."""
        now = self._loop.time()
        self._busy_since = self._busy_since or now
        if now - self._busy_since > BUSY_SECONDS:
            self._turn_away(listener)
        else:
            self._pause(listener)

    def _no_files(self, listener: socket.socket) -> None:
        """The operating system has no file for one more: take fewer from now on, and let somebody go."""
        self._places = max(LEAST_CONNECTIONS, self._inside - AT_ONCE)
        made = [self._make_room(NO_MORE_FILES) for _ in range(AT_ONCE)]
        if not any(made):
            self._turn_away(listener)
        self._pause(listener)

    def _fit_into_the_files(self) -> None:
        """Have so few places that files are left for the receiver's own work, whatever that needs now."""
        limit, opened = files()
        missing = opened + FREE_FILES - limit
        if missing <= 0:
            self._places = min(self._wanted, self._places + 1)
            return
        self._places = max(LEAST_CONNECTIONS, self._inside - missing)
        for _ in range(missing):
            self._make_room(NO_MORE_FILES)

    def _turn_away(self, listener: socket.socket) -> None:
        """Answer the next one in the queue that there is no room; the spare file is there for that."""
        self._close_the_spare_file()
        with suppress(OSError), listener.accept()[0] as peer:
            self.shed(FULL.reason)
            peer.setblocking(False)
            peer.send(FULL.answer)
            peer.shutdown(socket.SHUT_WR)
            peer.recv(_READ_BYTES)  # closing with bytes unread would tear the answer away
        self._keep_a_spare_file()

    def _keep_a_spare_file(self) -> None:
        try:
            self._spare = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            self._spare = None

    def _close_the_spare_file(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _pause(self, listener: socket.socket) -> None:
        self._loop.remove_reader(listener)
        self._loop.call_later(MOMENT / 2, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self._loop.add_reader(listener, self._admit, listener)

    async def _end_overdue(self) -> None:
        """End who is overdue, again and again, and tell the log now and then how many were ended and why."""
        for round in count(1):
            await asyncio.sleep(CHECK_SECONDS)
            now = self._loop.time()
            self._fit_into_the_files()
            for connection in [*self._known, *chain.from_iterable(self._strangers.values())]:
                try:
                    connection.overdue(now)
                except Exception as error:  # a defect met with one must not spare all others
                    text = f"{type(error).__name__}: {redact(str(error))}"
                    log_event(log, "connection not handled", level=logging.ERROR, error=text)
            if round % TOLD_EVERY == 0 and self._untold:
                told = ", ".join(f"{number} {reason}" for reason, number in self._untold.most_common())
                log_event(log, "connections ended", level=logging.WARNING, because=told, open=self._inside)
                self._untold.clear()
