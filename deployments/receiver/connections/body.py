"""Bodies of requests, bounded each and all together, so that neither storm nor slowness fills the memory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

BODY_SECONDS = 10.0
"""How long a sender may take to send its body."""

MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024
"""Bodies that are being read or written at one time."""

STRANGERS_BYTES = 32 * 1024 * 1024
"""Bodies that are being read before it is known whether their senders may send alerts."""


class Rejected(Exception):
    """A request that is not taken, and what its sender can do about it. `reason` is the metric's word.

    `operator_step` is what we can do about it ourselves: for the log, and not for the sender.
    """

    def __init__(
        self, status: int, reason: str, error: str, next_step: str = "", *, operator_step: str | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        self.error = error
        self.next_step = next_step
        self.operator_step = operator_step
        super().__init__(error)


def overloaded() -> Rejected:
    """The refusal that every sender takes for a reason to try again: Alertmanager does so for 5xx alone."""
    return Rejected(503, "overloaded", "too many alerts at once", "Send it again")


@dataclass(eq=False)
class Body:
    """A body that is being received. Its sender's time is up when `patience` says so."""

    patience: asyncio.Timeout
    received: int = 0


class Budget:
    """How many bytes may be under way at one time.

    A budget for strangers makes room: where a body does not fit, those end that have taken longest. Else a
    few senders who hold back the last byte of a long body would keep everybody else out.
    """

    def __init__(self, limit: int = MAX_BYTES_IN_FLIGHT, *, for_strangers: bool = False) -> None:
        self._left = limit
        self._for_strangers = for_strangers
        self._bodies: dict[Body, None] = {}

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

    @contextmanager
    def receiving(self, patience: asyncio.Timeout) -> Iterator[Body]:
        """Keep what a body has so far, see `receive`, while the block runs."""
        body = Body(patience)
        self._bodies[body] = None
        try:
            yield body
        finally:
            self._forget(body)

    def receive(self, body: Body, amount: int) -> None:
        """Keep so much more for a body.

        Raises:
            Rejected: there is not enough left.
        """
        while amount > self._left and self._for_strangers:
            longest = next(iter(self._bodies))
            if longest is body:
                break
            self._forget(longest)
            longest.patience.reschedule(asyncio.get_running_loop().time())
        if amount > self._left or body not in self._bodies:
            raise overloaded()
        self._left -= amount
        body.received += amount

    def _forget(self, body: Body) -> None:
        if body in self._bodies:
            del self._bodies[body]
            self._left += body.received


async def read_body(request: Request, limit: int, budget: Budget) -> bytes:
    """The body; a longer one is refused without reading it to its end.

    Raises:
        Rejected: longer than `limit` bytes, slower than `BODY_SECONDS`, cut short, or beyond the budget.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_long(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS) as patience:
            with budget.receiving(patience) as receiving:
                async for chunk in request.stream():
                    budget.receive(receiving, len(chunk))
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
