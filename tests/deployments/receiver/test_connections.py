"""How long what comes over a connection to the receiver may be and take; what is longer is refused."""

import asyncio

import httpx
import pytest

from deployments.receiver.connections import connections as receiver_connections
from deployments.receiver.connections import door as receiver_door
from deployments.receiver.connections.refusals import HEAD_BYTES
from tests.deployments.connections_bench import CHUNKED, HEAD, client, shed, store
from tests.deployments.raw_http import HEALTH, Peer, alert, peer

__all__ = ["client", "store"]  # fixtures, found here

LONG = HEAD + b"x-note: "


@pytest.mark.parametrize(
    "request_",
    [
        LONG + b"a" * HEAD_BYTES + b"\r\ncontent-length: 2\r\n\r\n{}",
        LONG + b"a" * 4_000_000,
        b"GET /healthz HTTP/1.1\r\n" + b"x: y\r\n" * 200_000,
        b"GET /" + b"a" * 2_000_000,
        b"\r\n" * 20_000,
    ],
    ids=["whole", "one line", "many lines", "the address", "nothing but line ends"],
)
async def test_long_headers_are_refused(client: httpx.AsyncClient, request_: bytes) -> None:
    """Their sender is told 431 when there are more than 16 KiB of them, whatever they are made of."""
    async with peer(client) as attacker:
        attacker.send(request_)
        try:
            status, told = await attacker.answer()
            assert (status, told["error"]) == (431, "the headers are longer than 16384 bytes")
        except ConnectionError:
            pass  # it sent so much behind that the system took the answer away
        assert await attacker.ended()
    assert await shed(client, "long headers") == 1


async def test_headers_just_short_enough_are_taken(client: httpx.AsyncClient) -> None:
    """Proxies add much to a request."""
    async with peer(client) as sender:
        sender.send(alert("s", f"x-note: {'a' * (HEAD_BYTES - 300)}"))
        assert (await sender.answer())[0] == 202


async def drip(one: Peer, data: bytes) -> None:
    """Send a byte now and then."""
    for byte in data:
        one.send(bytes([byte]))
        await asyncio.sleep(0.05)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver with less patience than in earnest."""
    monkeypatch.setattr(receiver_connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(receiver_connections, "MESSAGE_SECONDS", 0.5)
    monkeypatch.setattr(receiver_connections, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(receiver_connections, "FAREWELL_SECONDS", 0.5)
    monkeypatch.setattr(receiver_door, "CHECK_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("before", [b"", HEALTH], ids=["at once", "after a good request"])
async def test_headers_that_drip_are_refused(client: httpx.AsyncClient, before: bytes) -> None:
    """The time is that of all headers together, from the beginning, and of a further request's just so."""
    async with peer(client) as attacker:
        if before:
            attacker.send(before)
            assert (await attacker.answer())[0] == 200
        dripping = asyncio.create_task(drip(attacker, HEAD + b"x" * 400))
        status, told = await attacker.answer()
        assert (status, told["next_step"]) == (408, "Send them at once")
        await attacker.ended()
        dripping.cancel()
    assert await shed(client, "slow headers") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_connection_over_which_nothing_comes_is_ended(client: httpx.AsyncClient) -> None:
    """Nobody is told anything: there was no request."""
    async with peer(client) as attacker:
        assert await attacker.ended()
    assert await shed(client, "slow headers") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_nobody_reads_does_not_keep_the_connection(client: httpx.AsyncClient) -> None:
    """The refusal came before the body; what drips behind it has the time of a body, no more."""
    async with peer(client) as attacker:
        attacker.send(b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\ncontent-length: 1000\r\n\r\n{")
        assert (await attacker.answer())[0] == 401
        dripping = asyncio.create_task(drip(attacker, b" " * 400))
        assert await attacker.ended()
        dripping.cancel()
    assert await shed(client, "slow body") == 1


async def test_a_body_without_end_that_nobody_reads_ends(client: httpx.AsyncClient) -> None:
    """A sender that was refused may finish its body, if that is one that could have been taken."""
    async with peer(client) as attacker:
        attacker.send(b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\n" + CHUNKED)
        assert (await attacker.answer())[0] == 401
        attacker.send(b"1\r\n \r\n" * 100_000)
        assert await attacker.ended()
    assert await shed(client, "long body") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_peer_that_does_not_read_is_ended(client: httpx.AsyncClient) -> None:
    """It asks for the page again and again, and takes no answer from the line."""
    async with peer(client) as attacker:
        attacker.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a read transport

        async def ask() -> None:
            while True:
                attacker.send(b"GET /openapi.json HTTP/1.1\r\nhost: r\r\n\r\n")
                await asyncio.sleep(0.002)

        asking = asyncio.create_task(ask())
        async with asyncio.timeout(20):
            while not await shed(client, "slow reader"):  # noqa: ASYNC110  asked at the wire
                await asyncio.sleep(0.05)
        asking.cancel()


async def test_the_line_is_open_for_the_next_request(client: httpx.AsyncClient) -> None:
    """A sender need not connect anew for each alert, whatever was answered before."""
    async with peer(client) as sender:
        for request_, status in (
            (HEALTH, 200),
            (b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\ncontent-length: 2\r\n\r\n{}", 401),
            (alert(), 202),
            (b"\r\n" + alert(), 202),
        ):
            sender.send(request_)
            assert (await sender.answer())[0] == status
