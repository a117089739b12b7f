"""Clients that only want to be in the way, in a process of their own, hundreds of them until it is killed.

    python -m tests.deployments.attackers PORT KIND CLIENTS

Whoever is thrown out comes again at once.
"""

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import suppress

Attack = Callable[[StreamReader, StreamWriter], Awaitable[object]]

HELD_SECONDS = 3600


async def half_open(reader: StreamReader, _: StreamWriter) -> None:
    """Connect, and say nothing."""
    await reader.read()


async def dripping(_: StreamReader, writer: StreamWriter) -> None:
    """Send a byte of the headers now and then."""
    for byte in b"GET /healthz HTTP/1.1\r\nx-note: " + b"a" * HELD_SECONDS:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.2)


async def huge_headers(_: StreamReader, writer: StreamWriter) -> None:
    """Send headers without end."""
    writer.write(b"GET /healthz HTTP/1.1\r\nx-note: ")
    while True:
        writer.write(b"a" * 10_000)
        await writer.drain()
        await asyncio.sleep(0.1)


async def half_a_signed_body(reader: StreamReader, writer: StreamWriter) -> None:
    """Have a body read before its signature can be checked, and send half of it."""
    writer.write(
        b"POST /alerts/pagerduty HTTP/1.1\r\nhost: r\r\nx-pagerduty-signature: v1=0\r\n"
        b"content-length: 100000\r\n\r\n" + b" " * 50_000
    )
    await reader.read()


async def idle(reader: StreamReader, writer: StreamWriter) -> None:
    """Ask for something, and keep the line."""
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: r\r\n\r\n")
    while await reader.read(1000):
        pass


async def never_reading(_: StreamReader, writer: StreamWriter) -> None:
    """Ask for the page, and do not take it from the line."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a read transport
    while True:
        writer.write(b"GET /docs HTTP/1.1\r\nhost: r\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)


async def asking_for_readiness(reader: StreamReader, writer: StreamWriter) -> None:
    """Have the receiver ask its store."""
    writer.write(b"GET /readyz HTTP/1.1\r\nhost: r\r\n\r\n")
    await reader.read(1000)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        half_open,
        dripping,
        huge_headers,
        half_a_signed_body,
        idle,
        never_reading,
        asking_for_readiness,
    )
}


async def attack_for_ever(port: int, attack: Attack) -> None:
    """Come again and again."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await attack(reader, writer)
            finally:
                writer.close()
        await asyncio.sleep(0.01)


async def main(port: int, kind: str, clients: int) -> None:
    """Attack until killed; say so once all have begun."""
    kinds = list(ATTACKS.values()) if kind == "all" else [ATTACKS[kind]]
    attacking = [
        asyncio.create_task(attack_for_ever(port, kinds[number % len(kinds)])) for number in range(clients)
    ]
    await asyncio.sleep(0.5)
    print("attacking", flush=True)
    await asyncio.gather(*attacking)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
