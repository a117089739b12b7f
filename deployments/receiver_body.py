"""Bodies of requests, bounded each and all together, so that neither storm nor slowness fills the memory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

BODY_SECONDS = 10.0
"""How long a sender may take to send its body."""

MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024
"""Bodies that are being read or written at one time."""


class Rejected(Exception):
    """A request that is not taken, and what its sender can do about it. `reason` is the metric's word."""

    def __init__(self, status: int, reason: str, error: str, next_step: str = "") -> None:
        self.status = status
        self.reason = reason
        self.error = error
        self.next_step = next_step
        super().__init__(error)


def overloaded() -> Rejected:
    """The refusal that every sender takes for a reason to try again: Alertmanager does so for 5xx alone."""
    return Rejected(503, "overloaded", "too many alerts at once", "Send it again")


class Budget:
    """How many bytes may be under way at one time."""

    def __init__(self, limit: int = MAX_BYTES_IN_FLIGHT) -> None:
        self._left = limit

    @contextmanager
    def spent(self, amount: int) -> Iterator[None]:
        """Keep an amount as long as the block runs.

        Raises:
            Rejected: there is not enough left.
        """
        if amount > self._left:
            raise overloaded()
        self._left -= amount
        try:
            yield
        finally:
            self._left += amount


def expected_bytes(request: Request, limit: int) -> int:
    """How long the body will be at most.

    Raises:
        Rejected: longer than the limit, by its own account.
    """
    declared = request.headers.get("content-length", "")
    if not declared.isdecimal():
        return limit
    if int(declared) > limit:
        raise _too_long(limit)
    return int(declared)


async def read_body(request: Request, limit: int) -> bytes:
    """The body; a longer one is refused without reading it to its end.

    Raises:
        Rejected: longer than `limit` bytes, slower than `BODY_SECONDS`, or cut short.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_long(limit)
    except TimeoutError:
        slow = f"the body took longer than {BODY_SECONDS:.0f} s"
        raise Rejected(408, "slow", slow, "Send it at once") from None
    except ClientDisconnect:
        raise Rejected(400, "cut short", "the body ended early", "Send it again") from None
    return bytes(body)


def _too_long(limit: int) -> Rejected:
    advice = "Send fewer alerts, or raise [receiver] max_body_bytes"
    return Rejected(413, "too large", f"the body is longer than {limit} bytes", advice)
