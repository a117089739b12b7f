"""Bytes to a receiver, as a client of ours would never send them, and what comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.deployments.receiver_bench import TOKEN

PATIENCE_SECONDS = 20.0


@dataclass
class Peer:
    """A connection of a client that does as it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, object]]:
        """The status and the body of the next answer.

        Raises:
            asyncio.IncompleteReadError: the connection ends without one.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    async def ended(self) -> bool:
        """Wait until the receiver ends the connection; whether it said nothing more before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def peer(client: httpx.AsyncClient) -> AsyncIterator[Peer]:
    """A connection to the receiver that this client knows."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


def alert(service: str = "s", *headers: str) -> bytes:
    """A request with a plain alert from somebody who may send it."""
    body = json.dumps({"service": service, "name": "n", "summary": "x"}).encode()
    lines = ["POST /alerts/plain HTTP/1.1", "host: receiver", f"authorization: Bearer {TOKEN}", *headers]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


HEALTH = b"GET /healthz HTTP/1.1\r\nhost: receiver\r\n\r\n"
