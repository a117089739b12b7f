"""A sender of alerts over keep-alive HTTP/1.1 connections that costs little: it shares the machine.

    python -m tests.bench.load <job.json >result.json

As a process of its own it measures; `Load` alone sends from within another one.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, cast

import uvloop

from tests.bench.notifications import mixed, one_of

WARM_UP_SERVICE = "warm-up"
UNANSWERED = 0
"""In the place of a status."""

_SEED = 7
_RETRY_SECONDS = 0.02
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Address:
    """Where the receiver listens, and the token that it wants."""

    port: int
    token: str
    path: str = "/alerts/alertmanager"

    def request(self, payload: dict[str, Any]) -> bytes:
        """The bytes that send a payload."""
        body = json.dumps(payload).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUser-Agent: Alertmanager/0.28.0\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class _Connection(asyncio.Protocol):
    """One request at a time: sends it, and reads of the answer what tells where it ends."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> int:
        """Send a request; returns the status of its answer, or UNANSWERED where the connection ends."""
        if self._transport is None or self._transport.is_closing():
            return UNANSWERED
        self._received.clear()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        if len(self._received) >= end + 4 + length:
            self._answered(int(head[9:12]))

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._answered(UNANSWERED)

    def _answered(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


class Load:
    """Requests, sent over several connections at once, each as soon as its connection is free.

    With `insist` a request that is not answered, or answered with 5xx, is sent again, as Alertmanager does.
    """

    def __init__(self, port: int, requests: Sequence[bytes], *, insist: bool = False) -> None:
        self._port = port
        self._requests = requests
        self._insist = insist
        self._next = count()
        self._progress = asyncio.Condition()
        self._connections: list[_Connection] = []
        self.statuses = [UNANSWERED] * len(requests)
        """Of the last answer to each request."""
        self.seconds = [0.0] * len(requests)
        """From sending each request to its last answer."""
        self._done = 0

    async def connect(self, connections: int) -> None:
        """Open the connections before the clock runs."""
        self._connections = [await self._connected() for _ in range(connections)]

    async def run(self) -> float:
        """Send everything; returns the seconds that it took."""
        begin = time.perf_counter()
        await asyncio.gather(*(self._send_over(connection) for connection in self._connections))
        return time.perf_counter() - begin

    async def until_done(self, requests: int) -> None:
        """Wait until so many requests have their last answer."""
        async with self._progress:
            await self._progress.wait_for(lambda: self._done >= requests)

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    async def _send_over(self, connection: _Connection) -> None:
        while (number := next(self._next)) < len(self._requests):
            begin = time.perf_counter()
            status = await connection.exchange(self._requests[number])
            while self._insist and (status == UNANSWERED or status >= _SERVER_ERROR):
                await asyncio.sleep(_RETRY_SECONDS)
                if not connection.open:
                    connection = await self._connected()
                status = await connection.exchange(self._requests[number])
            self.seconds[number] = time.perf_counter() - begin
            self.statuses[number] = status
            await self._one_more_done()
            if not connection.open:
                connection = await self._connected()
        connection.close()

    async def _one_more_done(self) -> None:
        async with self._progress:
            self._done += 1
            self._progress.notify_all()

    async def _connected(self) -> _Connection:
        """A new connection, as soon as somebody listens."""
        while True:
            try:
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
                return connection
            except ConnectionError:
                await asyncio.sleep(_RETRY_SECONDS)


def accepted(status: int) -> bool:
    """Whether the receiver took the notification upon itself."""
    return 200 <= status < 300


@dataclass(frozen=True)
class Job:
    """What the load process is told to do."""

    address: Address
    notifications: int
    connections: int
    warm_up: int
    limit_seconds: float
    most_alerts: int


@dataclass(frozen=True)
class Sent:
    """What the load process saw: a status for each notification, and the time of each that was answered."""

    elapsed_seconds: float
    statuses: list[int]
    seconds: list[float]


def _payloads(job: Job) -> Iterator[dict[str, Any]]:
    return mixed(job.notifications, seed=_SEED, most=job.most_alerts)


async def send(job: Job) -> Sent:
    """Do a job. What is not answered within its limit stays unanswered."""
    requests = [job.address.request(payload) for payload in _payloads(job)]
    warm_up = Load(job.address.port, [job.address.request(one_of(WARM_UP_SERVICE))] * job.warm_up)
    await warm_up.connect(min(job.connections, 16))
    await warm_up.run()
    load = Load(job.address.port, requests)
    await load.connect(job.connections)
    begin = time.perf_counter()
    try:
        async with asyncio.timeout(job.limit_seconds):
            elapsed = await load.run()
    except TimeoutError:
        elapsed = time.perf_counter() - begin
    load.close()
    return Sent(
        elapsed, load.statuses, [s for s, status in zip(load.seconds, load.statuses, strict=True) if status]
    )


def main() -> None:
    """Read a job from standard input, write what was seen to standard output."""
    told = json.load(sys.stdin)
    job = Job(**told | {"address": Address(**told["address"])})
    json.dump(asdict(uvloop.run(send(job))), sys.stdout)


if __name__ == "__main__":
    main()
