"""One connection to the receiver: how long and how large what comes over it may be, and what is refused.

uvicorn's protocol has no such limits. Its parser, llhttp, refuses what smuggles requests: two lengths, a
length beside chunks, folded lines, a bare CR or LF. This adds what it lets through.
"""

import asyncio
import socket
from collections.abc import Mapping
from enum import Enum
from ipaddress import IPv6Address
from typing import Any, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deployments.receiver.connections.body import BODY_SECONDS
from deployments.receiver.connections.local_socket import PEER, peer_of
from deployments.receiver.connections.refusals import (
    HEAD_BYTES,
    HEAD_SECONDS,
    IDLE,
    LEFT_OVER,
    LONG_BODY,
    LONG_HEAD,
    MALFORMED,
    PIPELINED,
    SLOW_BODY,
    SLOW_HEAD,
    SLOW_READER,
    Refusal,
)

MESSAGE_SECONDS = BODY_SECONDS + 2
"""From the end of the headers to that of a body that nobody reads. Whoever reads one answers 408 before."""

ANSWER_SECONDS = 10.0
"""How long a peer may take to read all of an answer."""

FAREWELL_SECONDS = 2.0
FAREWELL_BYTES = 256 * 1024
"""What a refused peer may take and send until it hangs up. Closing at once could tear our answer away."""

CHUNKS_COST = 2
"""How much longer than its content a body in chunks may be."""

VERSIONS = ("1.0", "1.1")
_EXTENSION = "runbook.connection"
_NETWORK = len("2001:0db8:0000:0000")


class Phase(Enum):
    """What a connection waits for: headers, a body, our answer, the next request, or its end."""

    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    IDLE = "idle"
    FAREWELL = "farewell"


class Doorkeeper(Protocol):
    """Who lets connections in and keeps count of them."""

    most_body_bytes: int

    def arrived(self, connection: "Connection") -> None:
        """A connection was made."""

    def vouched(self, connection: "Connection") -> None:
        """Its peer has proved that it may send alerts."""

    def left(self, connection: "Connection") -> None:
        """A connection is gone."""

    def shed(self, reason: str) -> None:
        """A connection was ended for this reason."""


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with limits. `door` knows the connection, and closes it to make room."""

    def __init__(self, *, door: Doorkeeper, peer: socket.socket, **options: Any) -> None:
        super().__init__(**options)
        self._door = door
        self._peer = peer
        self._refusal: Refusal | None = None
        self._received = 0  # bytes of the present request
        self._unread_since: float | None = None
        self.opened_at = self.loop.time()
        self.phase, self._since = Phase.HEAD, self.opened_at
        self.proven = False
        """Whether the peer has proved, on this connection, that it may send alerts."""
        self.origin = ""
        """Where the peer is: its IPv4 address, or its IPv6 network, of which anybody has a whole one; or its
        account, if it came over the local socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; the time for the headers runs."""
        super().connection_made(transport)
        local = peer_of(transport.get_extra_info("socket"))
        if local is not None:
            self.app_state = self.app_state | {PEER: local}
            self.origin = f"account {local.uid}"
        elif self.client:
            self.origin = _origin(self.client[0])
        self._door.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._door.left(self)

    def vouch(self) -> None:
        """Note that the peer has proved that it may send alerts."""
        if not self.proven and self.phase is not Phase.FAREWELL:
            self.proven = True
            self._door.vouched(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        self._received += len(data)
        if self._refusal is not None:  # what else it sends is only read so that our answer gets through
            if self.phase is Phase.FAREWELL and self._received > FAREWELL_BYTES:
                self.end(LEFT_OVER)
            return
        self._unset_keepalive_if_required()
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEAD)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(self._refusal or MALFORMED)
            return
        if self.phase is Phase.HEAD and self._received > HEAD_BYTES:
            self._refuse(LONG_HEAD)
        elif self.phase is Phase.BODY and self._received > self._most_bytes:
            self._refuse(LONG_BODY)

    @property
    def _most_bytes(self) -> int:
        return HEAD_BYTES + CHUNKS_COST * self._door.most_body_bytes

    def on_message_begin(self) -> None:
        """The parser's word that a request begins."""
        if self.phase is Phase.ANSWER:
            self._stop(PIPELINED)
        super().on_message_begin()
        self._enter(Phase.HEAD)

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's word of a header; one behind the body could belie those before it."""
        if self.phase is not Phase.HEAD:
            self._stop(MALFORMED)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The parser's word that the headers are complete."""
        if self._received > HEAD_BYTES and _length(self.url, self.headers) > HEAD_BYTES:
            self._stop(LONG_HEAD)
        version = self.parser.get_http_version()
        if (
            version not in VERSIONS
            or self.parser.should_upgrade()
            or not _plainly_framed(self.headers, version)
        ):
            self._stop(MALFORMED)
        self.scope["extensions"] = {_EXTENSION: {"connection": self}}
        super().on_headers_complete()
        self._enter(Phase.BODY)

    def on_message_complete(self) -> None:
        """The parser's word that the body is complete."""
        super().on_message_complete()
        self._received = 0
        self._enter(Phase.IDLE if self.cycle.response_complete else Phase.ANSWER)

    def on_response_complete(self) -> None:
        """uvicorn's word that the answer was written."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._refusal is not None:
            self._dismiss(self._refusal)
        elif self.phase is Phase.ANSWER:
            self._enter(Phase.IDLE)

    def waits_for_its_peer(self) -> bool:
        """Whether nothing can happen here until the peer does something."""
        if self.phase is Phase.ANSWER:
            return self.transport.get_write_buffer_size() > 0
        return self.phase is not Phase.HEAD or not self._has_sent_more()

    def _has_sent_more(self) -> bool:
        """Whether bytes of the peer have arrived that the event loop has not come to read yet."""
        try:
            return bool(self._peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False

    def overdue(self, now: float) -> None:
        """End it if it keeps us waiting for too long; asked again and again."""
        waited = now - self._since
        if self._reads_too_slowly(now):
            self.end(SLOW_READER)
        elif self.phase is Phase.HEAD and waited > HEAD_SECONDS:
            self._refuse(SLOW_HEAD) if self._received else self.end(SLOW_HEAD.reason)
        elif self.phase is Phase.BODY and waited > MESSAGE_SECONDS:
            self.end(SLOW_BODY)
        elif self.phase is Phase.IDLE and waited > 2 * self.timeout_keep_alive:
            self.end(IDLE)  # uvicorn's own clock does not run where an answer came before the request's end
        elif self.phase is Phase.FAREWELL and waited > FAREWELL_SECONDS:
            self.end(LEFT_OVER)

    def end(self, reason: str) -> None:
        """End it at once, whatever is under way."""
        if reason != LEFT_OVER:  # that one was counted when it was refused
            self._door.shed(reason)
        self.transport.abort()

    def shutdown(self) -> None:
        """End it in order; what is being answered is answered."""
        if self.phase is Phase.FAREWELL:
            self.transport.close()
        else:
            super().shutdown()

    def _enter(self, phase: Phase) -> None:
        self.phase, self._since = phase, self.loop.time()

    def _reads_too_slowly(self, now: float) -> bool:
        if self.transport.get_write_buffer_size() == 0:
            self._unread_since = None
            return False
        if self._unread_since is None:
            self._unread_since = now
        return now - self._unread_since > ANSWER_SECONDS

    def _stop(self, refusal: Refusal) -> None:
        """Stop the parser from within one of its calls."""
        self._refusal = refusal
        raise ValueError(refusal.reason)

    def _refuse(self, refusal: Refusal) -> None:
        """Take nothing more over this connection. A request that is complete gets its answer first."""
        self._refusal = refusal
        self._door.shed(refusal.reason)
        if self.phase is not Phase.ANSWER:
            self._dismiss(refusal)

    def _dismiss(self, refusal: Refusal) -> None:
        """Tell the peer, and have it hang up."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # the reader of its body learns that nothing more will come
            self.cycle.message_event.set()
        if not (self.phase is Phase.BODY and self.cycle.response_started):
            self.transport.write(refusal.answer)
        self.flow.resume_reading()
        self.transport.write_eof()
        self._received = 0
        self._enter(Phase.FAREWELL)


def vouch_for(scope: Mapping[str, Any]) -> None:
    """Note of the connection that a request came over that its peer may send alerts."""
    extension = scope.get("extensions", {}).get(_EXTENSION)
    if extension is not None:
        extension["connection"].vouch()


def _length(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + len(": \r\n") for name, value in headers)


def _origin(host: str) -> str:
    return IPv6Address(host.partition("%")[0]).exploded[:_NETWORK] if ":" in host else host


def _plainly_framed(headers: list[tuple[bytes, bytes]], version: str) -> bool:
    """Whether all on the way agree where the body ends: HTTP/1.0 has no chunks, and chunks have no coding."""
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    return not codings or (version == "1.1" and codings[0].strip().lower() == b"chunked")
