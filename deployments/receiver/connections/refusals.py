"""Why the receiver ends a connection: the metric's word for it, and what the peer is told, if anything."""

from dataclasses import dataclass
from http import HTTPStatus

import orjson

HEAD_BYTES = 16 * 1024
"""Request line and headers, together."""

HEAD_SECONDS = 10.0
"""From the connection's beginning, or from the first byte of a further request, to the end of the headers."""


@dataclass(frozen=True)
class Refusal:
    """Why a connection is ended, for the metric, and what its peer is told."""

    reason: str
    status: HTTPStatus
    error: str
    next_step: str

    @property
    def answer(self) -> bytes:
        """The answer, complete, that ends the connection."""
        body = orjson.dumps({"error": self.error, "next_step": self.next_step})
        retry = b"retry-after: 5\r\n" if self.status is HTTPStatus.SERVICE_UNAVAILABLE else b""
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n"
        )
        return head.encode() + retry + b"\r\n" + body


_CORRECT = "Send one request at a time, as HTTP/1.1 requires"
MALFORMED = Refusal("malformed", HTTPStatus.BAD_REQUEST, "not a valid HTTP request", _CORRECT)
PIPELINED = Refusal(
    "pipelined", HTTPStatus.BAD_REQUEST, "a request came before the answer to the previous one", _CORRECT
)
LONG_HEAD = Refusal(
    "long headers",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"the headers are longer than {HEAD_BYTES} bytes",
    "Send fewer or shorter headers",
)
SLOW_HEAD = Refusal(
    "slow headers",
    HTTPStatus.REQUEST_TIMEOUT,
    f"the headers took longer than {HEAD_SECONDS:.0f} s",
    "Send them at once",
)
LONG_BODY = Refusal(
    "long body",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "the body is too long",
    "Send fewer alerts, or raise [receiver] max_body_bytes",
)
FULL = Refusal(
    "overloaded", HTTPStatus.SERVICE_UNAVAILABLE, "too many connections at once", "Send the alert again"
)

SLOW_BODY, SLOW_READER, LEFT_OVER, IDLE = "slow body", "slow reader", "not hung up", "idle"
IN_THE_WAY, NO_MORE_FILES = "in the way", "no more files"
"""Peers that are told nothing."""
